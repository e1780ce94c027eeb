"""The attack list, against a real server: refused, logged with no trace of who, nothing broken."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.apps.test_templates import code, notebook, words
from tests.fixtures.browser import health, serve
from tests.serve.test_wire import REFUSED, frame
from tests.serve.visitor import Talk, Visitor, ask, named

APP = """
import os
import ipywidgets as widgets
SECRET_SOURCE = "ce que le carnet contient"
theme = widgets.Dropdown(options=["Vols", "Bruit"], description="Thème")
note = widgets.Text(description="Note")
fails = widgets.Text(description="Échoue")
def fail(change):
    raise ValueError(change["new"])
fails.observe(fail, "value")
said = widgets.HTML("Vols")
who = widgets.HTML(str(os.getpid()))
def show(change):
    who.value = str(os.getpid())
    said.value = theme.value
theme.observe(show, "value")
turn, sleep = widgets.Button(description="Tourner"), widgets.Button(description="Dormir")
def without_end(_):
    while True:
        pass
turn.on_click(without_end)
sleep.on_click(lambda _: __import__("time").sleep(10_000))
widgets.VBox([theme, note, fails, said, who, turn, sleep])
"""
PLACES = 3
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("house")
    nbformat.write(notebook(words("# Essai"), code(APP)), made / "essai.ipynb")
    for name in ("secret.parquet", "secret.csv", "secret.py", "figure.png"):
        (made / name).write_text("RIEN À LIRE ICI", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def log(folder: Path) -> Path:
    return folder.with_name("house.log")


@pytest.fixture(scope="module")
def url(folder: Path, log: Path) -> Iterator[str]:
    options = (f"--House.places={PLACES}", "--House.linger=0.1", "--House.patience=3")
    with serve(folder, None, log, *options) as url:
        yield url


@pytest.fixture(autouse=True)
def nothing_broken(url: str) -> Iterator[None]:
    """After each attack: everyone is gone, and the next visitor is answered."""
    yield
    empty(url)
    visitor = Visitor.reads(url)
    with visitor.joins() as talk:
        talk.choose(named(talk.states(), "Thème"), {"index": 1})
        assert "Bruit" in json.dumps([talk.hear("comm_msg") for _ in range(3)])
        assert visitor.leaves() == 204
    empty(url)


def empty(url: str, within: float = 30) -> None:
    """Wait until no visitor is left."""
    until = time.monotonic() + within
    while health(url)["visitors"]:
        assert time.monotonic() < until, "a process outlives its page"
        time.sleep(0.1)


def refused(log: Path, kind: str) -> int:
    return log.read_text(encoding="utf-8").count(f"refused {kind}")


PATHS = [
    "/voila/files/secret.parquet", "/voila/files/essai.ipynb", "/voila/files/figure.png",
    "/files/essai.ipynb", "/essai.ipynb", "/secret.csv", "/static/secret.csv",
    "/voila/static/../../essai.ipynb", "/voila/static/..%2f..%2fessai.ipynb",
    "/voila/static/%2e%2e/%2e%2e/secret.csv", "/voila/static//etc/passwd",
    "/voila/@0/static/../../../secret.csv", "/voila/templates/phare/index.html.j2",
    "/voila/templates/phare/static/../index.html.j2", "/voila/templates/../voila.py",
    "/voila/labextensions/../../secret.csv", "/voila/labextensions/anywidget/package.json",
    "/voila/render/../secret.csv", "/voila/render/secret.py", "/voila/render/absent.ipynb",
    "/voila/render/%2e%2e%2fessai.ipynb", "/voila/render/essai.ipynb%00.html",
    "/voila/render/essai.ipynb/../secret.csv", "/phare/module/../../secret.csv",
    "/phare/module/0123.js", "/api", "/api/contents", "/api/contents/essai.ipynb",
    "/voila/api/contents/essai.ipynb", "/api/kernels", "/api/kernels/", "/api/kernelspecs",
    "/api/sessions", "/api/terminals", "/api/status", "/api/me", "/api/config/x", "/lab", "/tree",
    "/voila/tree", "/login", "/logout", "/nbconvert/html/essai.ipynb", "/metrics",
    "/voila/query/a-a-a-a-a", "/voila/execution/a-a-a-a-a", "/voila/api/themes/x/index.css",
    "/proc/self/environ", "//essai.ipynb", "/%c0%ae%c0%ae/essai.ipynb", "/" + "a" * 9000,
]  # fmt: skip


def test_no_file_and_no_interface_can_be_read(url: str, log: Path) -> None:
    before = refused(log, "address")
    for path in PATHS:
        answer = ask(url, path)
        assert answer.status in (400, 404, 414), (path, answer.status)
        for leak in ("RIEN À LIRE", "SECRET_SOURCE", "root:", "PATH=", "cell_type", "Traceback"):
            assert leak not in answer.text, (path, leak)
    assert refused(log, "address") >= before + len(PATHS) - 5  # the rest Tornado refuses itself


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "X"])
def test_nothing_can_be_written(url: str, method: str) -> None:
    for path in ("/api/kernels", "/api/contents/x", "/voila/render/essai.ipynb", "/api/sessions"):
        assert ask(url, path, method, body="{}").status in (400, 404, 405), path


def test_no_source_in_the_page(url: str) -> None:
    for path in ("/voila/render/essai.ipynb", "/"):
        assert "SECRET_SOURCE" not in ask(url, path).text


@pytest.mark.parametrize(("kind", "content"), REFUSED[:12])
def test_no_message_runs_code(url: str, log: Path, kind: str, content: object) -> None:
    """The one who sends it is cut off; a neighbour goes on in a process of its own."""
    before = refused(log, kind)
    with Visitor.reads(url).joins() as neighbour, Visitor.reads(url).joins() as attacker:
        theirs = neighbour.states()
        attacker.say(kind, content)
        with pytest.raises(ConnectionClosed) as closed:
            attacker.hear("execute_reply", 20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        neighbour.choose(named(theirs, "Thème"), {"index": 1})
        neighbour.until_idle()
    if kind.isidentifier() and kind not in ("comm_msg", "comm_open"):
        assert refused(log, kind) == before + 1


@pytest.mark.parametrize(
    "told",
    [b"\0" * 40, "text", frame("comm_msg", {"comm_id": "x" * 70_000}),
     frame("comm_msg", {"comm_id": "c", "data": {"method": "update",
                                                 "state": {"value": float("nan")}}})],
    ids=["zeros", "text", "oversized", "nan"],
)  # fmt: skip
def test_what_is_no_message_ends_the_socket(url: str, told: bytes | str) -> None:
    with Visitor.reads(url).joins() as talk:
        talk.line.send(told)
        with pytest.raises(ConnectionClosed):
            talk.hear("execute_reply", 20)


def test_a_flood_ends_the_socket(url: str, log: Path) -> None:
    before = refused(log, "flood")

    def flood(talk: Talk) -> None:
        for _ in range(2000):
            talk.say("kernel_info_request", {})
        talk.hear("execute_reply", 20)

    with Visitor.reads(url).joins() as talk, pytest.raises(ConnectionClosed):
        flood(talk)
    assert refused(log, "flood") == before + 1


OUTSIDE: list[dict[str, object]] = [
    {"index": 99}, {"index": -1}, {"index": "1; import os"}, {"index": [1]},
    {"options": ["x"]}, {"comm": None}, {"observe": 1}, {"keys": []},
]  # fmt: skip


def test_values_outside_a_control_change_nothing(url: str) -> None:
    """An index that is none, another trait, markup: the widget holds, the process answers."""
    with Visitor.reads(url).joins() as talk:
        states = talk.states()
        theme, note = named(states, "Thème"), named(states, "Note")
        for state in OUTSIDE:
            talk.choose(theme, state)
            talk.until_idle()
        talk.choose("absent", {"index": 1})
        talk.until_idle()
        talk.choose(note, {"value": "<script>alert(1)</script>"})
        talk.until_idle()
        now = talk.states()
        assert now[theme] == states[theme]
        assert [one.get("value") for one in now.values() if "script" in str(one.get("value"))] == [
            "<script>alert(1)</script>"  # text in a text field, of its own page only
        ]


def test_nobody_joins_another_ones_process(url: str, log: Path) -> None:
    mine, theirs = Visitor.reads(url), Visitor.reads(url)
    before = refused(log, "ticket")
    with theirs.joins() as talk:
        assert talk.states()
        for cookie in ("", mine.cookie, "phare=" + "A" * 43):
            stolen = Visitor(url, cookie, theirs.ticket)
            with pytest.raises(InvalidStatus) as refusal, stolen.joins():
                pass
            assert refusal.value.response.status_code == 404
            for path in (f"/api/kernels/{theirs.ticket}", "/api/kernels/1-a-a-a-a"):
                assert ask(url, path, headers={"Cookie": cookie}).status == 404
            leave = ask(url, f"/voila/api/shutdown/{theirs.ticket}", "POST", {"Cookie": cookie})
            assert leave.status == 404
        assert health(url)["visitors"] == 1
    assert refused(log, "ticket") == before + 3 * 4


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"origin": "https://exemple.org"}, 403),
        ({"origin": "null"}, 403),
        ({"subprotocols": None}, 400),
        ({"additional_headers": {"Host": "exemple.org"}}, 403),
    ],
)
def test_other_sites_and_other_protocols(url: str, changed: dict[str, object], status: int) -> None:
    with (
        pytest.raises((InvalidStatus, ConnectionError)) as refusal,
        Visitor.reads(url).joins(**changed),
    ):
        pass
    if isinstance(refusal.value, InvalidStatus):
        assert refusal.value.response.status_code in (status, 400, 404)


def test_another_host_is_not_answered(url: str) -> None:
    """What a name of elsewhere that leads here would ask for (DNS rebinding)."""
    for path in ("/", "/voila/render/essai.ipynb", "/voila/static/voila.js"):
        assert ask(url, path, headers={"Host": "exemple.org"}).status in (400, 403)


def test_a_robot_starts_no_process(url: str) -> None:
    for _ in range(50):
        Visitor.reads(url)
    assert health(url)["visitors"] == 0


def test_each_visitor_has_a_process_of_its_own(url: str) -> None:
    with Visitor.reads(url).joins() as one, Visitor.reads(url).joins() as other:
        told = []
        for talk in (one, other):
            states = talk.states()
            talk.choose(named(states, "Thème"), {"index": 1})
            talk.until_idle()
            now = talk.states()
            told.append({s["value"] for s in now.values() if str(s.get("value")).isdigit()})
        assert told[0].isdisjoint(told[1])
        assert str(os.getpid()) not in told[0] | told[1]


def test_when_all_places_are_taken_a_page_says_so_and_asks_again(url: str, log: Path) -> None:
    late = Visitor.reads(url)
    talks = [Visitor.reads(url).joins() for _ in range(PLACES)]
    for one in talks:
        one.__enter__()
    try:
        answer = ask(url, "/voila/render/essai.ipynb")
        assert (answer.status, answer.headers["retry-after"]) == (503, "10")
        assert "Toutes les places sont prises" in answer.text
        assert 'http-equiv="refresh" content="10"' in answer.text
        with pytest.raises(InvalidStatus) as refusal, late.joins():
            pass
        assert refusal.value.response.status_code == 503
        assert refused(log, "full") >= 1
    finally:
        for one in talks:
            one.__exit__(None, None, None)
    empty(url)
    with late.joins() as talk:
        assert talk.states()


@pytest.mark.parametrize("kind", ["Tourner", "Dormir"])
def test_a_process_that_hangs_is_ended_and_another_takes_its_place(url: str, kind: str) -> None:
    """It runs without end, or waits for ever: its page is told, and joins another."""
    visitor = Visitor.reads(url)
    with visitor.joins() as talk:
        button = named(talk.states(), kind)
        content = {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}}
        talk.say("comm_msg", content)
        with pytest.raises(ConnectionClosed) as closed:
            talk.hear("execute_reply", 120)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    with visitor.joins() as talk:
        assert talk.states()


def test_a_page_that_is_left_gives_its_place_back_at_once(url: str) -> None:
    visitor = Visitor.reads(url)
    with visitor.joins() as talk:
        assert talk.states()
        assert health(url)["visitors"] == 1
        assert visitor.leaves() == 204
        assert health(url)["visitors"] == 0


def test_every_answer_says_what_a_browser_may_do(url: str) -> None:
    for path in ("/", "/voila/render/essai.ipynb", "/absent", "/voila/static/voila.js"):
        headers = ask(url, path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy  # no outside
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "tornado" not in headers["server"].lower()
    cookie = ask(url, "/voila/render/essai.ipynb").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_the_log_keeps_nothing_of_who_asked_what(url: str, log: Path) -> None:
    mark = "marque-que-nul-ne-garde"
    visitor = Visitor.reads(url, f"/voila/render/essai.ipynb?theme={mark}", User_Agent=mark)
    ask(url, f"/{mark}", headers={"X-Forwarded-For": mark, "Referer": mark})
    # What the server's library refuses by itself, and what a widget's does.
    assert ask(url, f"/voila/static/%FF{mark}.css?v={mark}").status == 400
    ask(url, f"/?{mark}=1", "POST", {"Content-Encoding": mark, "Content-Type": FORM}, mark)
    with visitor.joins() as talk:
        states = talk.states()
        talk.choose(named(states, "Note"), {"value": mark})
        talk.until_idle()
        talk.choose(named(states, "Thème"), {"index": mark})
        talk.until_idle()
        talk.choose(named(states, "Échoue"), {"value": mark})
        talk.until_idle()
        talk.until_idle()
        talk.say("execute_request", {"code": mark})
        with pytest.raises(ConnectionClosed):
            talk.hear("execute_reply", 20)
    said = log.read_text(encoding="utf-8")
    assert "GET page 200" in said
    assert "refused execute_request page=essai" in said
    for kind in ("TraitError", "ValueError"):
        assert f"{kind} (message laissé de côté" in said
    assert "WARNING tornado.general web:" in said
    for trace in (mark, visitor.ticket, visitor.cookie, "127.0.0.1"):
        assert trace not in said, trace
