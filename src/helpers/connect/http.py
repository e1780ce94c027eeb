"""HTTP as the sources need it: patient, suspicious of where it is sent, and discreet.

A request that fails in passing (429, 5xx, a connection that drops) is made again, after as long
as the server asks. Redirections lead to http(s) only, never from https to http, never from the
outside to an address inside. No message holds a token, nor a value of the query.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from helpers.connect.bytes import MOST_BYTES
from helpers.core.base import redact
from helpers.core.base.errors import PhareError

PASSING = {408, 425, 429, 500, 502, 503, 504}
MOVED = {301, 302, 303, 307, 308}
MOST_MOVES = 5
DOCUMENT_BYTES = 64 << 20  # one page, held whole
PIECE = 1 << 14  # when a connection drops, the piece under way is lost
BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError,
          requests.exceptions.ContentDecodingError)  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long to insist: tries in a row without any progress, seconds between and within them.

    The n-th wait is `first_s` × 2ⁿ⁻¹, or what the server asks (Retry-After), at most `longest_s`.
    """

    tries: int = 6
    first_s: float = 1.0
    longest_s: float = 300.0
    connect_s: float = 10.0
    read_s: float = 60.0
    sleep: Callable[[float], None] = time.sleep


class Passing(PhareError):
    """A failure that may not last; `after_s` is when the server wants to be asked again."""

    def __init__(self, what: str, where: str, after_s: float | None = None) -> None:
        super().__init__(what, where, "réessayer plus tard : l'import reprendra où il en est")
        self.after_s = after_s


class Site:
    """A publisher's server, as one source asks it. Close it when done (it is a context)."""

    def __init__(self, url: str, source: str, patience: Patience | None = None) -> None:
        self.patience = patience or PATIENCE
        self.source = source
        # Of the address in city.yaml: where a redirection leads to came from outside.
        self.where = f"source « {source} », {redact.address(url)}"
        self._first = _checked(url, self.where)
        self._inside = is_inside(self._first.hostname or "")
        self._session = requests.Session()
        self._session.auth = _no_netrc  # credentials come from one place only
        self._token = os.environ.get(token_name(source), "")

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def insist(self, step: Callable[[], T], progress: Callable[[], int] = lambda: 0) -> T:
        """Return what `step` returns; try again after a passing failure.

        Tries that advanced `progress` are not counted.
        """
        reached, fruitless = progress(), 0
        while True:
            try:
                return step()
            except Passing as failure:
                fruitless = 1 if progress() > reached else fruitless + 1
                reached = progress()
                if fruitless >= self.patience.tries:
                    raise
                pause = self.patience.first_s * 2.0 ** (fruitless - 1)
                self.patience.sleep(max(failure.after_s or 0.0, pause))

    @contextmanager
    def open(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """Yield the answer to one request, not yet read; Passing where it may be asked again."""
        reply = self._follow(url, headers)
        try:
            yield reply
        except BROKEN:
            raise Passing("la connexion s'est interrompue", self.where) from None
        finally:
            reply.close()

    def _follow(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        for _ in range(MOST_MOVES):
            reply = self._ask(url, headers)
            if reply.status_code not in MOVED:
                self._judge(reply)
                return reply
            reply.close()
            url = self.led_to(url, reply.headers.get("Location", ""))
        raise PhareError(f"plus de {MOST_MOVES} redirections", self.where, "vérifier l'adresse")

    def led_to(self, url: str, location: str) -> str:
        """Return the address that an answer from `url` names, where it may be followed."""
        return next_address(url, location, self._inside, self.where)

    def _ask(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        sent = {"User-Agent": "phare", **headers}
        if self._token and _same_server(urlsplit(url), self._first):
            sent["Authorization"] = self._secret(url)
        limits = (self.patience.connect_s, self.patience.read_s)
        try:
            return self._session.get(
                url, headers=sent, timeout=limits, stream=True, allow_redirects=False
            )
        except requests.exceptions.SSLError:
            raise PhareError(
                "le certificat du serveur n'est pas reconnu",
                self.where,
                "vérifier l'adresse ; une autorité interne se donne par REQUESTS_CA_BUNDLE",
            ) from None
        except BROKEN:
            raise Passing("le serveur ne répond pas", self.where) from None
        except (requests.RequestException, UnicodeError):
            raise PhareError("adresse illisible", self.where, "corriger city.yaml") from None

    def _secret(self, url: str) -> str:
        if urlsplit(url).scheme != "https" and not self._inside:
            raise PhareError(
                "un jeton ne part pas en clair vers l'extérieur",
                self.where,
                f"donner une adresse en https, ou ôter {token_name(self.source)}",
            )
        return self._token

    def _judge(self, reply: requests.Response) -> None:
        status = reply.status_code
        if status < 300:
            return
        after = _retry_after(reply)
        reply.close()
        if after is not None and after > self.patience.longest_s:
            minutes = round(after / 60)
            raise PhareError(
                f"le serveur demande d'attendre {minutes} minutes (réponse {status})",
                self.where,
                "relancer alors : l'import reprendra où il en est",
            )
        if status in PASSING:
            raise Passing(f"le serveur répond {status}", self.where, after)
        raise Refused(status, self.where, self.source)

    def document(self, url: str) -> bytes:
        """Return what the address says, at most DOCUMENT_BYTES, asking again as needed."""

        def step() -> bytes:
            with self.open(url, {"Accept": "application/json"}) as reply:
                held = bytearray()
                for piece in reply.iter_content(PIECE):
                    held += piece
                    if len(held) > DOCUMENT_BYTES:
                        raise PhareError(
                            f"réponse de plus de {DOCUMENT_BYTES >> 20} Mio",
                            self.where,
                            "demander des pages plus petites, ou un export",
                        )
                return bytes(held)

        return self.insist(step)

    def download(self, url: str, path: Path) -> None:
        """Write the file at the address to `path`, going on where a connection dropped.

        It goes on (Range) only in a file that the server says is the same (If-Range); otherwise
        it starts again.
        """
        state = _Partial()

        def step() -> None:
            with self.open(url, state.headers()) as reply:
                state.take(reply)
                with path.open("r+b" if state.size else "wb") as file:
                    file.seek(state.size)
                    file.truncate()
                    for piece in reply.iter_content(PIECE):
                        file.write(piece)
                        state.size += len(piece)
                        if state.size > MOST_BYTES:
                            raise PhareError(
                                f"fichier de plus de {MOST_BYTES >> 30} Gio",
                                self.where,
                                "vérifier l'adresse",
                            )

        self.insist(step, progress=lambda: state.size)


class Refused(PhareError):
    """The server answered, and will answer the same again: `status` says what."""

    def __init__(self, status: int, where: str, source: str) -> None:
        todo = "vérifier l'adresse dans city.yaml"
        if status in (401, 403):
            todo = f"donner le jeton d'accès dans {token_name(source)} (en-tête Authorization)"
        super().__init__(f"le serveur répond {status}", where, todo)
        self.status = status


class _Partial:
    """A file being downloaded: how much is there, and how the server names this version of it."""

    def __init__(self) -> None:
        self.size, self.version = 0, ""

    def headers(self) -> dict[str, str]:
        plain = {"Accept-Encoding": "identity"}  # else a range counts bytes of something else
        if self.size and self.version:
            return {**plain, "Range": f"bytes={self.size}-", "If-Range": self.version}
        return plain

    def take(self, reply: requests.Response) -> None:
        told = re.match(r"bytes (\d+)-", reply.headers.get("Content-Range", ""))
        if reply.status_code == 206 and told and int(told[1]) == self.size:
            return
        if reply.status_code == 206:
            self.version, self.size = "", 0
            raise Passing("le serveur rend une autre partie du fichier", redact.FILE)
        self.size = 0
        tag = reply.headers.get("ETag", "")
        strong = tag if tag and not tag.startswith("W/") else ""
        encoded = reply.headers.get("Content-Encoding", "identity") != "identity"
        self.version = "" if encoded else strong or reply.headers.get("Last-Modified", "")


def token_name(source: str) -> str:
    """Return the name of the variable that holds the source's Authorization header."""
    return "PHARE_TOKEN_" + re.sub(r"\W", "_", source).upper()


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _checked(url: str, where: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        sound = False
    if not sound:
        raise PhareError(
            "l'adresse n'est pas en http ou https", where, "corriger `url` dans city.yaml"
        )
    if parts.username or parts.password:
        raise PhareError(
            "l'adresse contient un mot de passe",
            where,
            "l'ôter de city.yaml et le donner dans PHARE_TOKEN_<SOURCE>",
        )
    return parts


def _same_server(one: SplitResult, other: SplitResult) -> bool:
    return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)


def is_inside(host: str) -> bool:
    """Tell whether a host is on this machine or on a private network; unknown names are not."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(str(one).partition("%")[0]).is_global for one in found)


def next_address(url: str, location: str, from_inside: bool, where: str) -> str:
    """Return where a redirection leads; PhareError, at `where`, if it must not be followed."""
    target = urljoin(url, location)
    parts = _checked(target, where)
    why = ""
    if not location:
        why = "redirection sans adresse"
    elif urlsplit(url).scheme == "https" and parts.scheme == "http":
        why = "redirection de https vers http"
    elif not from_inside and is_inside(parts.hostname or ""):
        why = "redirection de l'extérieur vers une adresse interne"
    if why:
        raise PhareError(why, where, "vérifier l'adresse auprès de l'éditeur")
    return target


def _retry_after(reply: requests.Response) -> float | None:
    told = reply.headers.get("Retry-After")
    try:
        return Retry().parse_retry_after(told) if told else None
    except (InvalidHeader, ValueError, OverflowError):
        return None  # an odd date is as good as none


PATIENCE = Patience()
