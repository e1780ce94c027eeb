"""Who may ask, what each answer says of itself, what the log keeps of it."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from dataclasses import dataclass, field
from typing import Any

from tornado import web

log = logging.getLogger("phare.access")
COOKIE = "phare"
TOKEN = 43  # characters of a cookie
LOCAL = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; frame-src 'none'; frame-ancestors 'none'; form-action 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "Phare",
}


@dataclass(frozen=True)
class Rules:
    """Who may ask. Behind a proxy that signs people in, `user` names its header."""

    hosts: tuple[str, ...] = LOCAL
    user: str = ""
    groups: tuple[str, ...] = ()
    groups_header: str = "X-Forwarded-Groups"
    counted: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_environment(cls) -> Rules:
        """Return the rules that PHARE_HOSTS, PHARE_USER_HEADER and PHARE_GROUPS state."""

        def names(variable: str) -> tuple[str, ...]:
            return tuple(os.environ.get(variable, "").replace(",", " ").split())

        return cls(
            names("PHARE_HOSTS") or LOCAL,
            os.environ.get("PHARE_USER_HEADER", ""),
            names("PHARE_GROUPS"),
            os.environ.get("PHARE_GROUPS_HEADER", "X-Forwarded-Groups"),
        )

    def refuse(self, kind: str, page: str = "") -> None:
        """Note a refusal: its kind and page, nothing of who, from where or what was sent."""
        self.counted[kind] = self.counted.get(kind, 0) + 1
        log.warning("refused %s%s", kind, f" page={page}" if page else "")

    def check(self, handler: web.RequestHandler) -> None:
        """Raise HTTPError unless the request may be answered."""
        request = handler.request
        host = request.host.rpartition(":")[0] if request.host[-1:] != "]" else request.host
        if (host or request.host) not in self.hosts and request.host not in self.hosts:
            self.refuse("host")
            raise web.HTTPError(403)
        if not self.user:
            return
        if len(request.headers.get_list(self.user)) != 1 or not request.headers[self.user].strip():
            self.refuse("user")
            raise web.HTTPError(403)
        held = {one.strip() for one in request.headers.get(self.groups_header, "").split(",")}
        if self.groups and not held.intersection(self.groups):
            self.refuse("group")
            raise web.HTTPError(403)

    def owner(self, handler: web.RequestHandler, token: str | None = None) -> str:
        """Return what ties a ticket to whoever read the page: a digest, kept in memory only."""
        user = handler.request.headers.get(self.user, "") if self.user else ""
        token = token or handler.get_cookie(COOKIE) or ""
        return hashlib.sha256(f"{len(user)} {user} {token}".encode()).hexdigest()


def give_cookie(handler: web.RequestHandler) -> str:
    """Return the cookie that a reader's websocket will show, given now unless it has one."""
    held = handler.get_cookie(COOKIE)
    if held and len(held) == TOKEN:
        return held
    token = secrets.token_urlsafe(32)
    secure = handler.request.protocol == "https"
    handler.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=secure, path="/")
    return token


def note(handler: web.RequestHandler) -> None:
    """Log an answer: method, kind of page, status, milliseconds. No address, no query, no name."""
    kind: Any = getattr(handler, "kind", "other")
    known = handler.request.method in web.RequestHandler.SUPPORTED_METHODS
    method = handler.request.method if known else "?"
    took = 1000 * handler.request.request_time()
    log.info("%s %s %d %.0f ms", method, kind, handler.get_status(), took)
