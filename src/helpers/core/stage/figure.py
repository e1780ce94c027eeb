"""Charts that carry their provenance: one call saves drawing, data and evidence.

`save` writes `figures/<stage>/<name>` as Vega-Lite JSON, SVG and PNG, and beside them an evidence
JSON. A short code, the figure's passport, is printed under the chart: `make figure NAME=<code>`
re-runs what is upstream and compares.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from IPython import get_ipython

from helpers.core.base import store
from helpers.core.stage import code_used
from helpers.core.stage.palette import EDGE, FAINT_INK, GRID, INK, PAPER, SERIES
from helpers.core.stage.run import Run, digest

LEVEL = "A"

FRENCH_NUMBERS = {
    "decimal": ",",
    "thousands": "\u202f",
    "grouping": [3],
    "currency": ["", "\u00a0€"],
    "percent": "\u202f%",
}
FRENCH_TIMES = {
    "dateTime": "%A %e %B %Y à %X",
    "date": "%d/%m/%Y",
    "time": "%H:%M:%S",
    "periods": ["", ""],
    "days": ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"],
    "shortDays": ["dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."],
    "months": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "shortMonths": [
        "janv.",
        "févr.",
        "mars",
        "avr.",
        "mai",
        "juin",
        "juil.",
        "août",
        "sept.",
        "oct.",
        "nov.",
        "déc.",
    ],
}


# What a mark is called where it is read aloud; Vega's own words are English.
READ_ALOUD = {
    "area": "bande", "bar": "barre", "geoshape": "zone", "line": "courbe", "point": "point",
    "rect": "case", "rule": "trait", "text": "texte",
}  # fmt: skip


@alt.theme.register("phare", enable=True)  # type: ignore[untyped-decorator]
def _theme() -> alt.theme.ThemeConfig:
    font: dict[str, Any] = {
        "labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12
    }  # fmt: skip
    # What is read aloud of axes, legends and titles would be Vega's English; figures have their
    # own description.
    unread = {"aria": False}
    config: dict[str, Any] = {
        "background": PAPER,
        "locale": {"number": FRENCH_NUMBERS, "time": FRENCH_TIMES},
        "font": "DejaVu Sans, Arial, sans-serif",
        "axis": {
            **font, **unread, "gridColor": GRID, "domainColor": EDGE, "titleFontWeight": "normal"
        },
        "legend": {**font, **unread, "titleFontWeight": "normal"},
        "header": font,
        "title": {
            **unread, "anchor": "start", "fontSize": 16, "color": INK, "subtitleColor": FAINT_INK,
            "subtitleFontSize": 12, "subtitlePadding": 4, "offset": 12,
        },
        "view": {"stroke": None},
        "range": {"category": SERIES},
        **{mark: {"ariaRoleDescription": said} for mark, said in READ_ALOUD.items()},
    }  # fmt: skip
    return {"config": config}


_DATA: dict[str, list[dict[str, Any]]] = {}
PLACE = "data-in-place-"  # then a number: data that are not known yet


def data(rows: list[dict[str, Any]]) -> alt.NamedData:
    """Return `rows` as data to draw, named by their hash: `complete` puts each set in once.

    Altair copies and validates inline data over and over; a map's outlines would cost seconds.
    """
    name = f"data-{digest(rows)[:16]}"
    _DATA[name] = rows
    return alt.NamedData(name)


def complete(chart: Any) -> dict[str, Any]:
    """Return the chart's specification, all its data in `datasets`, each set once, by its name.

    Rows that a chart holds in place (`alt.Data(values=…)`) go there too: what is drawn is counted,
    and hashed, wherever it was written.
    """
    spec: dict[str, Any] = chart.to_dict()
    datasets: dict[str, Any] = spec.pop("datasets", {})
    _gather(spec, datasets)
    return spec | {"datasets": dict(sorted(datasets.items()))}


def drawn(
    draw: Callable[..., Any], sets: Sequence[list[dict[str, Any]]], *about: Any
) -> dict[str, Any]:
    """Return `complete` of the chart that `draw` makes of sets of rows, and of what it is `about`.

    All that the rows do not change is made, and validated, once: Altair takes a tenth of a second,
    and who answers a reader has less. So `draw` takes data, not rows, and looks at none of them.
    """
    rows = {f"data-{digest(one)[:16]}": one for one in sets}
    names = {f"{PLACE}{i}": f"data-{digest(one)[:16]}" for i, one in enumerate(sets)}
    spec: dict[str, Any] = _renamed(_blank(draw, len(sets), about), names)
    return spec | {"datasets": dict(sorted(rows.items()))}


@cache
def _blank(draw: Callable[..., Any], count: int, about: tuple[Any, ...]) -> dict[str, Any]:
    """Return the specification of a chart whose data are named by their place."""
    named = [alt.NamedData(f"{PLACE}{i}") for i in range(count)]
    spec: dict[str, Any] = draw(*named, *about).to_dict()
    return spec


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    """Return a copy of a part of a specification, its data named otherwise."""
    if isinstance(part, list):
        return [_renamed(inner, names) for inner in part]
    if not isinstance(part, dict):
        return part
    if part.get("name") in names:
        return part | {"name": names[part["name"]]}
    return {key: _renamed(inner, names) for key, inner in part.items()}


def nothing(why: str = "aucun résultat à dessiner") -> alt.Chart:
    """Return the chart of nothing: a sentence, where an empty frame would look like an error.

    `why`: the reason, as told in the tables, where the caller knows it.
    """
    words = data([{"mots": f"Rien à montrer ici : {why}."}])
    return alt.Chart(words).mark_text(fontSize=13).encode(text="mots:N").properties(
        width=480, height=50
    )  # fmt: skip


def _gather(part: Any, datasets: dict[str, Any]) -> None:
    """Put into `datasets` the data that a part of a specification names or holds in place."""
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            _gather(inner, datasets)
    own = part.get("data") if isinstance(part, dict) else None
    if not isinstance(own, dict):
        return
    if isinstance(own.get("values"), list):
        own["name"] = data(own.pop("values")).name
    if own.get("name") in _DATA:
        datasets[own["name"]] = _DATA[own["name"]]


def days(field: str, title: str | None = None) -> alt.X:
    """Return a horizontal axis of days given as ISO text, the same in every time zone.

    Vega reads such days as midnight UTC; a scale in local time would draw them elsewhere.
    """
    axis = alt.Axis(format="%m/%Y", tickCount=6)
    return alt.X(f"{field}:T", title=title, scale=alt.Scale(type="utc"), axis=axis)


def ratios(rows: list[dict[str, Any]], title: str) -> alt.X:
    """Return a logarithmic axis for ratios with intervals `low`…`high`, at least 0.5 to 2."""
    domain = [min([0.5, *(r["low"] for r in rows)]), max([2.0, *(r["high"] for r in rows)])]
    scale = alt.Scale(type="log", domain=domain, nice=False)
    marks = [0.1, 0.25, 0.5, 0.8, 1, 1.25, 2, 4, 10]
    axis = alt.Axis(format=".2~f", values=[m for m in marks if domain[0] <= m <= domain[1]])
    return alt.X("low:Q", scale=scale, axis=axis, title=title)


@dataclass(frozen=True)
class Drawn:
    """A chart and its captions: what it shows, and the same in words for who cannot see it."""

    chart: Any
    title: str
    description: str


@dataclass(frozen=True)
class Figure:
    """A saved figure; JupyterLab and reports show its drawing."""

    name: str
    passport: str
    description: str
    svg: str
    folder: Path

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        label = escape(self.description, quote=True)
        drawing = self.svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
        text = f"{self.name} ({self.passport}) : {self.description}"
        return {"image/svg+xml": drawing, "text/plain": text}


def save(run: Run, drawn: Drawn, name: str, *, badge: str = "") -> Figure:
    """Save the chart as the stage's figure `name`, with its evidence; `badge` gives reliability.

    A chart none of whose data sets has a row says so in words.
    """
    chart, title, description = drawn.chart, drawn.title, drawn.description
    drawing = complete(chart)
    if not any(drawing["datasets"].values()):
        chart = nothing()
        drawing = complete(chart)
    about = run.city.about
    notes = [badge] if badge else []
    notes += ["données simulées"] if about.simulated else []
    subtitle = " · ".join([about.title, *notes])
    frame = {"title": alt.TitleParams(title, subtitle=subtitle), "description": description}
    claims = _claims(run, name, {**drawing, "frame": [title, subtitle]}, title)
    passport = short_code(claims)
    method = f" · méthode : {claims['method']}" if claims["method"] else ""
    footer = [f"Preuve {passport} · make figure NAME={name}{method}", *_attributions(run)]
    spec = complete(_with_footer(chart, footer).properties(**frame))
    folder = run.workspace.writes / "figures" / run.stage
    svg = _write(run, folder / name, spec)
    parts = [folder / f"{name}.{suffix}" for suffix in ("png", "svg", "vl.json")]
    evidence = {
        **claims,
        "passport": passport,
        "commit": None,
        "level": LEVEL,
        "files": {part.name: store.sha256(part) for part in parts},
    }
    evidence["commit"], evidence["commit_remark"] = _commit(run)
    run.wrote(_write_json(folder / f"{name}.evidence.json", evidence))
    return Figure(name, passport, description, svg, folder)


def _attributions(run: Run) -> list[str]:
    drawn = [c.attribution for c in run.city.contracts.values() if c.kind != "context"]
    return [f"Source : {attribution}" for attribution in sorted(set(drawn))]


def _claims(run: Run, name: str, spec: dict[str, Any], title: str) -> dict[str, Any]:
    return {
        "figure": name,
        "title": title,
        "city": run.city.about.name,
        "simulated": run.city.about.simulated,
        "notebook": run.notebook.relative_to(run.root).as_posix(),
        "notebook_sha256": code_used.notebook_sha256(run.notebook),
        "cell": _cell(),
        "helpers": run.helpers,
        "parameters": run.parameters,
        "inputs": run.inputs,
        **run.ancestry(),
        "spec_sha256": digest(spec),
        "data_sha256": digest(spec.get("datasets", {})),
        "method": _method(run),
        "lock_sha256": store.sha256(run.root / "requirements.lock"),
    }


def _method(run: Run) -> str | None:
    """Return the method note of the run's stage, if it has one."""
    path = Path("docs/methodes") / f"{run.stage}.md"
    return path.as_posix() if (run.root / path).exists() else None


def _cell() -> dict[str, Any]:
    """Return the first line and the hash of the cell that runs: its number would depend on how."""
    shell = get_ipython()
    message = shell.get_parent() if hasattr(shell, "get_parent") else {}
    source = str(message.get("content", {}).get("code", "")).strip()
    return {
        "first_line": source.split("\n", 1)[0],
        "sha256": hashlib.sha256(source.encode()).hexdigest(),
    }


def _commit(run: Run) -> tuple[str | None, str]:
    files = code_used.stage_files(run.root, run.stage, list(run.helpers))
    return code_used.commit_of(run.root, files)


def short_code(claims: dict[str, Any]) -> str:
    """Return eight letters and digits that stand for the claims, as `XXXX-XXXX`."""
    letters = base64.b32encode(bytes.fromhex(digest(claims)))[:8].decode()
    return f"{letters[:4]}-{letters[4:]}"


def _with_footer(chart: Any, lines: list[str]) -> Any:
    footer = (
        alt.Chart(data([{"n": i, "text": line} for i, line in enumerate(lines)]))
        .mark_text(align="left", baseline="top", fontSize=10, color=FAINT_INK, x=0)
        .encode(
            y=alt.Y("n:O", axis=None),
            text="text:N",
        )
        .properties(height=14 * len(lines), width=600)
    )
    stacked = alt.vconcat(chart, footer, spacing=12)
    return stacked.resolve_scale(color="independent", y="independent", x="independent")


def _write(run: Run, stem: Path, spec: dict[str, Any]) -> str:
    stem.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(spec, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    stem.with_name(f"{stem.name}.vl.json").write_text(f"{text}\n", encoding="utf-8")
    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    svg = str(vl_convert.vegalite_to_svg(spec, vl_version=version))
    stem.with_name(f"{stem.name}.svg").write_text(svg, encoding="utf-8")
    png = vl_convert.svg_to_png(svg, scale=2)
    stem.with_name(f"{stem.name}.png").write_bytes(png)
    return svg


def _write_json(path: Path, value: dict[str, Any]) -> Path:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")
    return path
