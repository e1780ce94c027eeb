"""What may be said of what came from outside: the one place that decides it.

A message, a receipt, a log or a notebook that failed holds the project's own words, numbers, and
the names that a contract or city.yaml writes. Any other name (a column, a sheet, a layer, a file)
is counted; the text of an error that is not ours, which may quote a value, is left out: its kind
and its place in the code are told. Addresses are told without their secrets.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import urlsplit

from helpers.core.base import machine
from helpers.core.base.errors import PhareError

WITHHELD = "…"
FILE = "fichier livré"  # in the place of an error: `placed` puts the file's name there
UNSAID = "message laissé de côté : il peut citer une valeur reçue"
# Words of an address that are told, in any case: those of the portals and servers that are read.
# Any other may be somebody's, whoever wrote it.
WORDS = frozenset((
    "action", "api", "arcgis", "catalog", "data", "dataset", "datasets", "datastore", "dist",
    "download", "explore", "exports", "featureserver", "files", "fr", "georeport", "jsonl",
    "mapserver", "media", "ods", "odata", "open311", "package_show", "postgres", "query", "records",
    "request", "requests", "resource", "resource_show", "resources", "rest", "search", "services",
    "static", "wfs",
))  # fmt: skip
EXTENSIONS = frozenset((
    "csv", "geojson", "gpkg", "gz", "json", "jsonl", "parquet", "shp", "xlsx", "xml", "zip",
))  # fmt: skip
PARAMETERS = frozenset((
    "api_key", "end_date", "format", "id", "jurisdiction_id", "key", "limit", "offset", "order_by",
    "page", "page_size", "select", "sslmode", "start_date", "token", "where",
))  # fmt: skip
SCHEMES = frozenset(
    ("ftp", "git", "gs", "http", "https", "mqtt", "mqtts", "postgres", "postgresql", "s3", "ssh")
)
VERSION = re.compile(r"v[0-9](?:\.[0-9])?|[0-9]")
ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.I)
PLACE = re.compile(
    r"^(?:File (?P<file>.*?):\d+(?:, in \w+)?|Cell In\[\d+\], line \d+"
    r"|Input In \[\d+\], in <cell line: \d+>)"
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
OURS = ("PhareError", "Passing", "Changed", "Refused")
OUR_FORM = re.compile(r"Erreur : .*\n\s*où\s*: .*\n\s*à faire : .*", re.DOTALL)
CODE = re.compile("[0-9A-Z]{5}")
NUMBER = "[0-9]{1,3}"
SHOWN = 3  # places of columns in a message


# ---- names


def known(offered: Iterable[str], named: Collection[str]) -> str:
    """Return the names of `offered` that are `named`, and how many others there are."""
    names = list(offered)
    told = [name for name in names if name in named]
    others = len(names) - len(told)
    if others:
        told.append(f"{others} que le contrat ne nomme pas")
    return ", ".join(told) or "aucun nom"


def file_name(name: str, named: Sequence[str], years: str, number: int) -> str:
    """Return how the file called `name`, the `number`-th received, may be called.

    By its name where that is one of the names or patterns `named` (of city.yaml), a wildcard
    standing for a number under a thousand or a day, month or year, which `years` (a regular
    expression) describes; otherwise by its number, and the pattern that it fits.
    """
    year = f"(?:{years})"
    moment = f"{year}(?:[-_]?(?:0[1-9]|1[0-2])(?:[-_]?(?:0[1-9]|[12][0-9]|3[01]))?)?"
    wild = f"(?:[-_]?(?:{NUMBER}|{moment}))?"
    for one in named:
        form = "".join(wild if part == "*" else re.escape(part) for part in re.split(r"(\*)", one))
        if name == one or re.fullmatch(form, name):
            return name
    fitting = [one for one in named if fnmatchcase(name.lower(), one.lower())]
    pattern = f" ({fitting[0].replace('*', WITHHELD)})" if fitting else ""
    return f"livraison n° {number}{pattern}"


def header_fault(names: Sequence[str]) -> str:
    """Return why a first line does not name the columns, by their places; nothing where it does.

    The names themselves, which may be a person's, are not told.
    """
    if not any(names):
        return "la première ligne est vide : elle doit nommer les colonnes"
    blank = [str(i) for i, name in enumerate(names, 1) if not name]
    if blank:
        return f"la première ligne ne nomme pas toutes les colonnes (sans nom : {_few(blank)})"
    first = {name: i for i, name in reversed(list(enumerate(names, 1)))}
    twice = [f"{first[n]} et {i}" for i, n in enumerate(names, 1) if first[n] != i]
    return f"deux colonnes ont le même nom ({_few(twice)})" if twice else ""


def _few(places: Sequence[str]) -> str:
    more = ", …" if len(places) > SHOWN else ""
    return ", ".join(places[:SHOWN]) + more


def placed(error: PhareError, shown: str) -> PhareError:
    """Return the error of a reader, its file being called `shown`."""
    where = error.where.replace(FILE, shown, 1) if FILE in error.where else shown
    return PhareError(error.what, where, error.todo)


def code(text: str) -> str:
    """Return a code of a standard (SQLSTATE): five capitals or digits; anything else is no code."""
    return text if CODE.fullmatch(text) else "non dit"


# ---- addresses


def address(url: str) -> str:
    """Return the address without what may be secret.

    Credentials, fragment and the values of the query go; so does, of the path and the query, what
    is none of `WORDS`, `EXTENSIONS`, `PARAMETERS`: a token may stand there, or a name.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return WITHHELD
    if parts.scheme not in SCHEMES or not host:
        return WITHHELD
    place = f"[{host}]" if ":" in host else host
    path = "/".join(map(_step, parts.path.split("/")))
    asked = [part.partition("=") for part in parts.query.split("&") if part]
    query = "&".join(f"{_parameter(name, sign)}={WITHHELD}" for name, sign, _ in asked)
    return f"{parts.scheme}://{place}{port}{path}{'?' + query if query else ''}"


def _step(step: str) -> str:
    if not step or step.lower() in WORDS or VERSION.fullmatch(step):
        return step
    stem, _, end = step.rpartition(".")
    if end not in EXTENSIONS:
        return WITHHELD
    return f"{stem if stem.lower() in WORDS else WITHHELD}.{end}"


def _parameter(name: str, sign: str) -> str:
    return name if sign and name in PARAMETERS else WITHHELD


def addresses(text: str) -> str:
    """Return a text of a tool of ours (git, DVC) whose addresses are told without their secrets."""
    return ADDRESS.sub(lambda found: address(found[0]), text)


# ---- errors that are not ours


def kind(error: BaseException) -> str:
    """Return what may be told of any error: ours as it is, of another one its kind."""
    return str(error) if isinstance(error, PhareError) else f"{type(error).__name__} ({UNSAID})"


def trace(error: BaseException) -> str:
    """Return the trace of an error and of those that it came from: places in the code alone."""
    told: list[str] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        frames = traceback.extract_tb(one.__traceback__)
        lines = [f'  File "{at.filename}", line {at.lineno}, in {at.name}' for at in frames]
        told = [*lines, kind(one), *told]
        one = one.__cause__ or one.__context__
    return "\n".join(["Traceback (most recent call last):", *told])


def discreet() -> None:
    """Make this process tell its errors without a value, on a terminal or in a log.

    What a person can mend is a sentence; a defect of ours has its `trace`. Of what a library warns,
    which may quote an address or a cell, the kind and the place are told; what it logs is not.
    """

    def tell(_: type[BaseException], error: BaseException, __: TracebackType | None = None) -> None:
        print(_sentence(error) or trace(error), file=sys.stderr)

    def tell_thread(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None:
            print(_sentence(given.exc_value) or trace(given.exc_value), file=sys.stderr)

    def tell_warning(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: TextIO | None = None, line: str | None = None,
    ) -> None:  # fmt: skip
        print(f"{filename}:{lineno}: {category.__name__} ({UNSAID})", file=sys.stderr)

    sys.excepthook, threading.excepthook = tell, tell_thread
    warnings.showwarning = tell_warning
    logging.lastResort = logging.NullHandler()


def _sentence(error: BaseException) -> str:
    """Return what a person is told of an error that they can mend; nothing of another."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrompu."
    ours = error if isinstance(error, PhareError) else machine.of_error(error)
    return str(ours) if ours else ""


# ---- notebooks


def is_ours(name: str, message: str) -> bool:
    """Tell whether an error, as a notebook holds it, is one of ours, which quotes nothing."""
    return name in OURS and OUR_FORM.fullmatch(COLOURS.sub("", message).strip()) is not None


def notebook(content: Any, root: Path) -> None:
    """Take out of a notebook that stopped (nbformat 4, as JSON) what may quote a value.

    Of errors, the kind and the places in the code stay, from `root`, and the message of ours; what
    libraries wrote on standard error goes.
    """
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [_told(one, root) for one in without_warnings(cell["outputs"])]


def without_warnings(outputs: list[Any]) -> list[Any]:
    """Return the outputs of a cell but for what libraries wrote on standard error."""
    return [o for o in outputs if (o["output_type"], o.get("name")) != ("stream", "stderr")]


def _told(output: dict[str, Any], root: Path) -> dict[str, Any]:
    if output["output_type"] != "error":
        return output
    message = COLOURS.sub("", output["evalue"])
    message = message if is_ours(output["ename"], message) else UNSAID
    lines = [line for part in output["traceback"] for line in COLOURS.sub("", part).splitlines()]
    found = [one for one in map(PLACE.match, lines) if one and _is_code(one["file"])]
    places = [one[0].replace(f"{root}/", "") for one in found]
    return {
        **output,
        "evalue": message,
        "traceback": [*_once(places), f"{output['ename']} : {message}"],
    }


def _is_code(file: str | None) -> bool:
    """Tell whether a place is in a cell, or in a module that is there.

    A message of several lines, « File d'attente chez …:21 h », may begin as a place does.
    """
    if file is None:
        return True
    # Unlike pathlib's, these raise for no text: neither « ~Nom » nor one too long for a name.
    return file.endswith(".py") and os.path.isfile(os.path.expanduser(file))  # noqa: PTH111, PTH113


def _once(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(lines))
