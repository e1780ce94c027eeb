"""Addresses without their secrets, fit for messages."""

from __future__ import annotations

import re

SECRET_IN_MESSAGE = "…"


def redacted(url: str) -> str:
    """Return the address without what may be secret: credentials, values of the query."""
    bare = re.sub(r"^(\w+://)[^/?#]*@", r"\1", url.partition("#")[0])
    place, mark, query = bare.partition("?")
    names = [part.partition("=")[0] for part in query.split("&") if part]
    return place + mark + "&".join(f"{name}={SECRET_IN_MESSAGE}" for name in names)
