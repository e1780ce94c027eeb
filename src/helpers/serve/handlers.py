"""What the server answers: pages, their files, their sockets, its health. Nothing else exists."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any

from tornado import web, websocket

from helpers.serve import access, assets, visitors, wire

if TYPE_CHECKING:
    from helpers.serve.house import House

log = logging.getLogger("phare.access")
RETRY_S = 10
BURST = 300  # messages in ten seconds: a hand on a slider sends a tenth of it


class Guarded(web.RequestHandler):
    """Every answer is checked, carries the same headers, and fails in French."""

    kind = "other"

    def initialize(self, house: House) -> None:
        """Keep what the server holds."""
        self.house = house

    def set_default_headers(self) -> None:
        """Set what every answer says."""
        for name, value in access.HEADERS.items():
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> None:
        """Refuse who may not ask."""
        self.house.rules.check(self)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Write a page, whatever went wrong; nothing of the request comes back in it."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self.house.template("error.html", status_code=status_code))

    def send_page(self, name: str, status: int, **told: Any) -> None:
        """Send one of the pages that are no notebook."""
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self.house.template(name, **told))


class Absent(Guarded):
    """Any other address."""

    def prepare(self) -> None:
        """Refuse: nothing is there."""
        super().prepare()
        self.house.rules.refuse("address")
        raise web.HTTPError(404)


class PageHandler(Guarded):
    """A page: bytes made beforehand, and a ticket."""

    kind = "page"

    async def get(self, name: str = "") -> None:
        """Send the page; where all places are taken, one that asks again by itself."""
        name = name or self.house.only
        if name not in self.house.names:
            self.house.rules.refuse("address")
            raise web.HTTPError(404)
        page = self.house.pages.get(name)
        if page is None or self.house.desk.full:
            self.set_header("Retry-After", str(RETRY_S))
            self.send_page("wait.html", 503, full=page is not None, retry=RETRY_S)
            return
        owner = self.house.rules.owner(self, access.give_cookie(self))
        ticket = self.house.desk.admit(name, self.request.query[:2000], owner)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            await self.finish(page.zipped(ticket))
        else:
            await self.finish(page.plain(ticket))


class TreeHandler(Guarded):
    """The list of pages."""

    kind = "list"

    def get(self) -> None:
        """Send it; where there is one page only, that page."""
        if self.house.only:
            self.redirect(f"{self.house.base}voila/render/{self.house.only}.ipynb")
            return
        content = [
            {"type": "notebook", "name": f"{name}.ipynb", "path": f"{name}.ipynb"}
            for name in self.house.names
        ]
        self.send_page("tree.html", 200, contents={"content": content}, breadcrumbs=[])


class AssetHandler(Guarded):
    """A file of the list."""

    kind = "file"

    def get(self, name: str) -> None:
        """Send it, compressed where the browser can; as it was, where it has it."""
        asset = self.house.assets.get(name)
        if asset is None:
            self.house.rules.refuse("address")
            raise web.HTTPError(404)
        lasting = "@" in self.request.path or self.get_query_argument("v", "") != ""
        self.set_header("Cache-Control", assets.FOREVER if lasting else "no-cache")
        self.set_header("ETag", asset.mark)
        self.set_header("Content-Type", asset.kind)
        self.set_header("Vary", "Accept-Encoding")
        if self.request.headers.get("If-None-Match") == asset.mark:
            self.set_status(304)
            self.finish()
        elif asset.zipped and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(asset.zipped)
        else:
            self.finish(asset.content)


class ModuleHandler(Guarded):
    """The module of a page's widgets: kilobytes that no visitor is sent twice."""

    kind = "module"

    def get(self, name: str) -> None:
        """Send it; every browser that runs modules reads gzip."""
        found = self.house.modules.get(name)
        if found is None:
            self.house.rules.refuse("address")
            raise web.HTTPError(404)
        self.set_header("Cache-Control", assets.FOREVER)
        self.set_header("Content-Type", "text/javascript")
        self.set_header("Content-Encoding", "gzip")
        self.finish(found)


class HealthHandler(Guarded):
    """Whether pages can be read and joined: for a proxy, a unit, a probe."""

    kind = "health"

    def prepare(self) -> None:
        """Let a probe ask, who signs in as nobody."""

    def get(self) -> None:
        """Send 200 where all pages are ready, 503 before or where one failed."""
        told = self.house.health()
        self.set_status(200 if told["ready"] else 503)
        self.finish(told)


class TicketHandler(Guarded):
    """What a page's script asks of its own process; nobody else's can be named."""

    kind = "ticket"

    def ticket(self, name: str) -> visitors.Ticket:
        """Return the ticket of this name and of this reader; HTTPError otherwise."""
        found = self.house.desk.known(name, self.house.rules.owner(self))
        if found is None:
            self.house.rules.refuse("ticket")
            raise web.HTTPError(404)
        return found

    def get(self, name: str) -> None:
        """Send what Jupyter's client reads of a kernel: that it is there."""
        self.ticket(name)
        if name not in self.house.desk.visitors and self.house.desk.full:
            self.set_header("Retry-After", str(RETRY_S))
            raise web.HTTPError(503)
        self.finish(
            {"id": name, "name": "python3", "execution_state": "idle", "connections": 1,
             "last_activity": "2000-01-01T00:00:00Z"}
        )  # fmt: skip


class LeaveHandler(TicketHandler):
    """A page says that it is being left."""

    kind = "leave"

    def post(self, name: str) -> None:
        """End its process."""
        self.ticket(name)
        visitor = self.house.desk.visitors.get(name)
        if visitor:
            self.house.desk.end(visitor)
        self.set_status(204)
        self.finish()


class Channels(websocket.WebSocketHandler, TicketHandler):
    """The socket between a page and its process."""

    kind = "socket"

    def initialize(self, house: House) -> None:
        """Keep what the server holds."""
        self.house = house
        self.visitor: visitors.Visitor | None = None
        self.page = ""
        self.recent: list[float] = []
        self.over = False  # refused: what still comes before the socket closes is not read

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Speak one protocol only."""
        return wire.PROTOCOL if wire.PROTOCOL in subprotocols else None

    async def get(self, name: str) -> None:  # type: ignore[override]  # Tornado awaits either
        """Join the reader's page to its process."""
        ticket = self.ticket(name)
        self.page = ticket.page
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if wire.PROTOCOL not in [one.strip() for one in offered.split(",")]:
            self.house.rules.refuse("protocol", ticket.page)
            raise web.HTTPError(400)
        if name not in self.house.desk.visitors and self.house.desk.full:
            self.house.rules.refuse("full", ticket.page)
            raise web.HTTPError(503)
        await super().get(name)

    def check_origin(self, origin: str) -> bool:
        """Accept pages of this server only."""
        same = super().check_origin(origin)
        if not same:
            self.house.rules.refuse("origin")
        return bool(same)

    async def open(self, name: str) -> None:
        """Join the process, forked now where there is none yet."""
        self.set_nodelay(True)
        scheme = "https" if self.request.protocol == "https" else "http"
        address = f"{scheme}://{self.request.host}{self.house.base}phare/module/"
        page = self.house.pages[self.page]

        def fork(ticket: visitors.Ticket, other: Any) -> None:
            page.fork(ticket.query, address, other)

        fresh = name not in self.house.desk.visitors
        try:
            self.visitor = await self.house.desk.join(name, self, fork)
        except (visitors.FullError, OSError, TimeoutError):
            self.house.rules.refuse("full", self.page)
            self.close(1013)
            return
        if fresh:
            await self.hear(visitors.starting(secrets.token_hex(8)))

    async def on_message(self, message: bytes | str) -> None:
        """Pass on what a page of widgets says; refuse the rest, and close."""
        if self.over:
            return
        now = time.monotonic()
        self.recent = [one for one in self.recent if now - one < 10] + [now]
        try:
            if len(self.recent) > BURST:
                raise wire.RefusedError("flood")
            wire.check(wire.unpack(message))
        except wire.RefusedError as refused:
            self.over = True
            self.house.rules.refuse(refused.kind, self.page)
            self.close(1008)
            return
        while self.visitor is None and self.ws_connection is not None:
            await asyncio.sleep(0.01)  # its process is being forked
        if self.visitor is not None and isinstance(message, bytes):
            await self.house.desk.tell(self.visitor, message)

    async def hear(self, frame: bytes) -> None:
        """Send a frame to the page."""
        try:
            await self.write_message(frame, binary=True)
        except websocket.WebSocketClosedError:
            return  # `on_close` says so

    def end(self, code: int) -> None:
        """Close the socket."""
        self.close(code)

    def on_close(self) -> None:
        """Note that the page went."""
        if self.visitor is not None:
            self.house.desk.leave(self.visitor, self)
