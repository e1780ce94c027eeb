"""Sources read over HTTP, from servers that misbehave, and imports killed at any moment."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.collect import headers
from helpers.connect import ckan, opendatasoft, spool
from helpers.connect import http as connect_http
from helpers.connect import pages as connect_pages
from helpers.connect.pages import Changed, Page
from helpers.core.base import workspace
from helpers.core.base.errors import PhareError
from helpers.core.city import key
from helpers.core.city.contract import FileFormat
from tests.fixtures.real import ROOT
from tests.fixtures.servers import Asked, Reply, Site, http

SECRET = "jeton-imaginaire"
PERSON = "Personne Imaginaire"
KEY = key.public("essai")


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited for: nobody waits in a test."""
    noted: list[float] = []
    monkeypatch.setattr(connect_http, "PATIENCE", connect_http.Patience(sleep=noted.append))
    return noted


def rows(pages: Iterator[Page]) -> list[dict[str, Any]]:
    return [row for page in pages for row in page.table.to_pylist()]


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """Answer with each reply in turn, then with the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


# HTTP itself


@pytest.mark.parametrize(
    "failure",
    [Reply(status=500), Reply(status=503), Reply(status=429), Reply(b"abcdef", cut=3)],
    ids=["500", "503", "429", "cut"],
)
def test_a_passing_failure_is_asked_again(failure: Reply, waits: list[float]) -> None:
    with (
        http(in_turn(failure, failure, Reply(b"entier"))) as site,
        connect_http.Site(site.url, "s") as one,
    ):
        assert one.document(site.url) == b"entier"
    assert waits == [1, 2]


def test_the_server_is_asked_when_it_wants(waits: list[float]) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=200), usegmt=True)
    replies = [
        Reply(status=429, headers={"Retry-After": "7"}),
        Reply(status=503, headers={"Retry-After": later}),
        Reply(status=503, headers={"Retry-After": "demain"}),
        Reply(b"entier"),
    ]
    with http(in_turn(*replies)) as site, connect_http.Site(site.url, "s") as one:
        assert one.document(site.url) == b"entier"
    assert waits[0] == 7
    assert 100 < waits[1] <= 200
    assert waits[2] == 4


def test_it_gives_up(waits: list[float]) -> None:
    with (
        http(in_turn(Reply(status=500))) as site,
        connect_http.Site(site.url, "s") as one,
        pytest.raises(PhareError, match="500"),
    ):
        one.document(site.url)
    assert len(site.asked) == 6
    assert waits == [1, 2, 4, 8, 16]


def test_a_server_that_wants_hours_is_not_waited_for(waits: list[float]) -> None:
    reply = Reply(status=429, headers={"Retry-After": "7200"})
    with (
        http(in_turn(reply)) as site,
        connect_http.Site(site.url, "s") as one,
        pytest.raises(PhareError, match="120 minutes"),
    ):
        one.document(site.url)
    assert waits == []
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_final(status: int, waits: list[float]) -> None:
    reply = Reply(f'[{{"description": "{PERSON}"}}]'.encode(), status)
    with (
        http(in_turn(reply)) as site,
        connect_http.Site(site.url, "s") as one,
        pytest.raises(connect_http.Refused) as caught,
    ):
        one.document(site.url)
    assert caught.value.status == status
    assert PERSON not in str(caught.value)
    assert waits == []


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://1.1.1.1/a", "http://1.1.1.1/b"),
        ("https://1.1.1.1/a", "file:///etc/passwd"),
        ("https://1.1.1.1/a", "ftp://1.1.1.1/b"),
        ("https://1.1.1.1/a", "https://127.0.0.1/b"),
        ("https://1.1.1.1/a", "https://localhost/b"),
        ("http://1.1.1.1/a", "http://169.254.169.254/latest"),
        ("http://1.1.1.1/a", "http://[::1]/b"),
        ("http://1.1.1.1/a", "http://10.0.0.1/b"),
        ("http://1.1.1.1/a", "http://nom:secret@1.1.1.1/b"),
        ("http://1.1.1.1/a", ""),
    ],
)
def test_a_redirection_that_is_not_followed(url: str, location: str) -> None:
    with pytest.raises(PhareError):
        connect_http.next_address(url, location, from_inside=False, where="s")


def test_a_redirection_that_is_followed() -> None:
    assert (
        connect_http.next_address("https://1.1.1.1/a", "/b?c=d", False, "s")
        == "https://1.1.1.1/b?c=d"
    )
    inside = connect_http.next_address("http://127.0.0.1/a", "http://10.0.0.1/b", True, "s")
    assert inside == "http://10.0.0.1/b"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://h/x", "nimporte", "http://", "http://[:"]
)
def test_only_http(url: str) -> None:
    with pytest.raises(PhareError, match="http"):
        connect_http.Site(url, "s")


def test_redirections_end() -> None:
    with (
        http(lambda _: Reply(status=302, headers={"Location": "/encore"})) as site,
        connect_http.Site(site.url, "s") as one,
        pytest.raises(PhareError, match="redirections"),
    ):
        one.document(site.url)


def test_the_token_goes_to_its_server_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither to where a redirection leads, nor from a netrc file of the user."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login quelquun password secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with http(lambda _: Reply(b"entier")) as other:
        moved = Reply(status=302, headers={"Location": other.url + "/ailleurs"})
        with http(lambda _: moved) as site:
            with connect_http.Site(site.url, "main-courante") as one:
                assert one.document(site.url) == b"entier"
            monkeypatch.setenv("PHARE_TOKEN_MAIN_COURANTE", f"Apikey {SECRET}")
            with connect_http.Site(site.url, "main-courante") as one:
                assert one.document(site.url) == b"entier"
    sent = [asked.headers.get("authorization") for asked in site.asked]
    assert sent == [None, f"Apikey {SECRET}"]
    assert [asked.headers.get("authorization") for asked in other.asked] == [None, None]


def test_a_token_does_not_leave_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHARE_TOKEN_S", SECRET)
    with (
        connect_http.Site("http://1.1.1.1/", "s") as one,
        pytest.raises(PhareError, match="clair") as told,
    ):
        one.document("http://1.1.1.1/")
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    "reply",
    [Reply(status=404), Reply(status=500), Reply(b"", cut=0), Reply(b"{"),
     Reply(status=302, headers={"Location": f"ftp://h/?api_key={SECRET}"})],
    ids=["404", "500", "cut", "garbage", "moved"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["open311", "opendatasoft", "ckan"])
def test_no_message_holds_a_secret(
    form: Any, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHARE_TOKEN_S", SECRET)
    with http(in_turn(reply)) as site:
        days = "start_date=2024-01-01&end_date=2024-01-02"
        place = f"{site.url}/explore/dataset/d?api_key={SECRET}&{days}"
        with pytest.raises(PhareError) as caught:
            list(connect_pages.pages(FileFormat(format=form), place, ["id"], source="s"))
    told: BaseException | None = caught.value
    while told is not None:
        assert SECRET not in str(told)
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    assert form == "opendatasoft" or "api_key=…" in str(caught.value)


def test_a_password_in_the_address_is_refused_and_not_told() -> None:
    for form in ("open311", "opendatasoft", "ckan"):
        layout = FileFormat.model_validate({"format": form})
        with pytest.raises(PhareError, match="mot de passe") as caught:
            list(connect_pages.pages(layout, f"https://nom:{SECRET}@1.1.1.1/x", ["id"]))
        assert SECRET not in str(caught.value)


# Open311

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
REQUESTS = [
    {
        "service_request_id": f"R{i:05}",
        "requested_datetime": (FIRST + timedelta(minutes=41 * i)).isoformat(),
        "service_code": f"c{i % 5}",
        "lat": 43.25 + i / 1e5,
        "description": PERSON,
        **({"service_notice": "été"} if i % 7 == 0 else {}),
    }
    for i in range(3000)
]
COLUMNS = ["service_request_id", "requested_datetime", "lat", "service_notice"]


def georeport(most: int, paged: bool, beyond: int = 200) -> Callable[[Asked], Reply]:
    """Answer as a GeoReport server that gives at most `most` requests at once, newest first."""

    def answer(asked: Asked) -> Reply:
        start, end = (datetime.fromisoformat(asked.query[n]) for n in ("start_date", "end_date"))
        if end - start > timedelta(days=90):
            return Reply(b"[]", 400)
        found = [
            one
            for one in reversed(REQUESTS)
            if start <= datetime.fromisoformat(str(one["requested_datetime"])) <= end
        ]
        size = min(most, int(asked.query["page_size"]))
        skip = (int(asked.query["page"]) - 1) * size if paged else 0
        if found and skip >= len(found):
            return Reply(b"[]", beyond)
        return Reply(json.dumps(found[skip : skip + size]).encode())

    return answer


def georeport_pages(site: Site, cursor: str | None = None) -> list[Page]:
    url = f"{site.url}/v2?jurisdiction_id=x&start_date=2024-01-01&end_date=2024-03-31"
    return list(connect_pages.pages(FileFormat(format="open311"), url, COLUMNS, cursor, source="s"))


@pytest.mark.parametrize(
    ("most", "paged", "beyond"),
    [(1000, True, 200), (1000, True, 404), (100, True, 200), (1000, False, 200)],
    ids=["paged", "404-beyond", "small-pages", "unpaged"],
)
def test_every_request_comes_once(most: int, paged: bool, beyond: int) -> None:
    """Whatever the server allows; the last server gives 1,000 at once of 1,053 a window."""
    with http(georeport(most, paged, beyond)) as site:
        pages = georeport_pages(site)
    found = rows(iter(pages))
    # The server's own list, as it would be written in a CSV, over the days asked for.
    expected = {
        one["service_request_id"]: (one["requested_datetime"], json.dumps(one["lat"]),
                                    one.get("service_notice"))
        for one in REQUESTS
        if str(one["requested_datetime"]) < "2024-04-01"
    }  # fmt: skip
    assert len(found) == len(expected)
    assert {
        row["service_request_id"]: (row["requested_datetime"], row["lat"], row["service_notice"])
        for row in found
    } == expected
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert "description" in pages[0].offered
    assert PERSON not in str([page.table.to_pylist() for page in pages])
    assert site.asked[0].query["jurisdiction_id"] == "x"


@pytest.mark.parametrize(("most", "paged"), [(300, True), (1000, False)])
def test_requests_go_on_from_any_page(most: int, paged: bool) -> None:
    with http(georeport(most, paged)) as site:
        whole = georeport_pages(site)
        for i, page in list(enumerate(whole[:-1]))[::2]:
            rest = georeport_pages(site, page.cursor)
            assert [one.cursor for one in rest] == [one.cursor for one in whole[i + 1 :]]
            assert all(
                one.table.equals(two.table) for one, two in zip(rest, whole[i + 1 :], strict=True)
            )


def test_no_request_at_all_is_one_empty_page() -> None:
    with http(lambda _: Reply(b"[]")) as site:
        (page,) = georeport_pages(site)
    assert page.last
    assert page.table.num_rows == 0
    assert page.table.schema.names == ["fault", *sorted(COLUMNS)]


def test_days_must_be_given() -> None:
    with pytest.raises(PhareError, match="quel jour"):
        list(connect_pages.pages(FileFormat(format="open311"), "http://127.0.0.1:9/v2", ["id"]))


def test_a_request_that_is_no_object_keeps_its_place() -> None:
    body = b'[{"service_request_id": "1"}, 3, {"service_request_id": {"nom": "x"}}]'

    def answer(asked: Asked) -> Reply:
        first = asked.query["page"] == "1" and asked.query["start_date"].startswith("2024-01-01")
        return Reply(body if first else b"[]")

    with http(answer) as site:
        found = rows(iter(georeport_pages(site)))
    assert [row["service_request_id"] for row in found] == ["1", None, None]
    assert [row["fault"] for row in found] == [None, "json", "json"]


# Opendatasoft

SIGNALS = [
    {"id": i, "lieu": {"lon": 5.3 + i / 1e4, "lat": 43.3}, "jour": f"2024-01-{i % 28 + 1:02}",
     "adresse": PERSON}
    for i in range(1000)
]  # fmt: skip
DATASET = "/api/explore/v2.1/catalog/datasets/signaux"


class Portal:
    """A portal of one data set; `cuts` are the bytes after which it hangs up, in turn."""

    def __init__(self) -> None:
        self.records, self.cuts, self.count = list(SIGNALS), list[int](), len(SIGNALS)
        self.names = [*SIGNALS[0]]

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == DATASET:
            names = [{"name": name, "type": "text"} for name in self.names]
            return Reply(json.dumps({"fields": names, "metas": {}}).encode())
        names = asked.query["select"].split(",")
        if asked.path == f"{DATASET}/records":
            return Reply(json.dumps({"total_count": self.count, "results": []}).encode())
        assert asked.path == f"{DATASET}/exports/jsonl"
        chosen = [{name: one[name] for name in names} for one in self.records]
        if "order_by" in asked.query:
            chosen.sort(key=lambda one: one[asked.query["order_by"]])
        body = "\n".join(map(json.dumps, chosen)).encode()
        return Reply(body, cut=self.cuts.pop(0) if self.cuts else None)


def portal_pages(site: Site, cursor: str | None = None) -> Iterator[Page]:
    permitted = ["id", "jour", "lieu.lon"]
    layout = FileFormat(format="opendatasoft")
    return connect_pages.pages(
        layout, site.url + DATASET, permitted, cursor, source="s", key=["id"]
    )


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opendatasoft, "PAGE_ROWS", 300)


@pytest.mark.usefixtures("small_pages")
def test_an_export_comes_whole_over_broken_connections() -> None:
    portal = Portal()
    portal.records.reverse()
    portal.cuts = [20_000, 5, 40_000, 50_000, 0, 54_321]
    with http(portal) as site:
        pages = list(portal_pages(site))
    assert portal.cuts == []
    assert [page.table.num_rows for page in pages] == [300, 300, 300, 100]
    assert [(row["id"], row["jour"], row["lieu.lon"]) for row in rows(iter(pages))] == [
        (str(one["id"]), one["jour"], json.dumps(one["lieu"]["lon"])) for one in SIGNALS
    ]
    assert pages[0].offered == ("id", "lieu", "jour", "adresse")
    asked = {name for one in site.asked for name in one.query.get("select", "").split(",")}
    assert asked == {"", "id", "lieu", "jour"}, "a column that is refused is never asked for"


@pytest.mark.usefixtures("small_pages")
def test_an_export_that_always_breaks_at_the_same_place_is_given_up(waits: list[float]) -> None:
    portal = Portal()
    portal.cuts = [20_000] * 50
    with http(portal) as site, pytest.raises(PhareError, match="interrompue"):
        list(portal_pages(site))
    assert 5 <= len(waits) <= 12


@pytest.mark.usefixtures("small_pages")
def test_an_export_goes_on_from_any_page_and_tells_when_it_changed() -> None:
    portal = Portal()
    with http(portal) as site:
        whole = list(portal_pages(site))
        for i, page in enumerate(whole[:-1]):
            rest = list(portal_pages(site, page.cursor))
            assert rows(iter(rest)) == rows(iter(whole[i + 1 :]))
        portal.records = [SIGNALS[0] | {"jour": "2024-02-02"}, *SIGNALS[1:]]
        with pytest.raises(Changed):
            list(portal_pages(site, whole[1].cursor))
        portal.records = SIGNALS[:100]
        with pytest.raises(Changed):
            list(portal_pages(site, whole[1].cursor))


def test_an_export_cut_without_a_word_is_not_taken_for_whole() -> None:
    portal = Portal()
    portal.records = SIGNALS[:500]
    with http(portal) as site, pytest.raises(Changed):
        list(portal_pages(site))


# Resources of CKAN and data.gouv.fr

CSV = ("id;nature;adresse\n" + "".join(f"{i};bruit n° {i};{PERSON}\n" for i in range(5000))).encode(
    "cp1252"
)


def digest(kind: str, content: bytes = CSV) -> str:
    return hashlib.new(kind, content).hexdigest()


def described(**about: Any) -> dict[str, Any]:
    return {"url": "/fichier", "format": "CSV", **about}


def resource_server(about: dict[str, Any], *files: Reply) -> Callable[[Asked], Reply]:
    """Answer with a description at /ressource, and with a file elsewhere, by ranges if asked."""
    turn = in_turn(*files)

    def answer(asked: Asked) -> Reply:
        if asked.path == "/ressource":
            return Reply(json.dumps(about).encode())
        reply = turn(asked)
        start = asked.headers.get("range", "")
        same = asked.headers.get("if-range") == reply.headers.get("ETag", "-")
        if start and same:
            first = int(start.removeprefix("bytes=").removesuffix("-"))
            told = f"bytes {first}-{len(reply.body) - 1}/{len(reply.body)}"
            return Reply(
                reply.body[first:], 206, {"Content-Range": told, **reply.headers}, reply.cut
            )
        return reply

    return answer


def resource_pages(site: Site, cursor: str | None = None) -> Iterator[Page]:
    layout = FileFormat(format="ckan", separator=";", encoding="cp1252")
    return connect_pages.pages(
        layout, site.url + "/ressource", ["id", "nature"], cursor, source="s"
    )


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where files of the moment go."""
    monkeypatch.setattr(workspace.tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "about",
    [
        {"resource": described(checksum={"type": "sha1", "value": digest("sha1")},
                               filesize=len(CSV)), "dataset_id": "x"},
        described(checksum={"type": "sha256", "value": digest("sha256").upper()}),
        {"success": True, "result": described(hash=digest("md5"))},
        {"success": True, "result": described(hash=f"sha256:{digest('sha256')}", size=None)},
        {"success": True, "result": described(hash="", format=".csv")},
    ],
    ids=["datagouv-2", "datagouv-1", "ckan-md5", "ckan-sha256", "ckan-none"],
)  # fmt: skip
def test_a_resource_is_checked_and_read(about: dict[str, Any], nowhere: Path) -> None:
    with http(resource_server(about, Reply(CSV))) as site:
        pages = list(resource_pages(site))
    found = rows(iter(pages))
    assert found[7] == {"fault": None, "id": "7", "nature": "bruit n° 7"}
    assert len(found) == 5000
    assert pages[0].offered == ("id", "nature", "adresse")
    assert list(nowhere.iterdir()) == []


@pytest.mark.parametrize(
    "about",
    [
        described(checksum={"type": "sha1", "value": digest("sha1", b"autre")}),
        described(checksum={"type": "crc", "value": "0"}),
        described(hash=digest("md5", b"autre")),
        described(filesize=len(CSV) + 1),
    ],
)
def test_a_file_that_is_not_the_one_announced_leaves_nothing(
    about: dict[str, Any], nowhere: Path
) -> None:
    with (
        http(resource_server(about, Reply(CSV))) as site,
        pytest.raises(PhareError, match="annonce") as caught,
    ):
        list(resource_pages(site))
    assert "rien n'est entré" in caught.value.todo
    assert list(nowhere.iterdir()) == []


def test_a_download_goes_on_where_it_was(nowhere: Path, tmp_path: Path) -> None:
    tagged = {"ETag": '"v1"'}
    files = [Reply(CSV, headers=tagged, cut=n) for n in (50_000, 20_000, 30_000)]
    about = described(checksum={"type": "sha256", "value": digest("sha256")})
    with http(resource_server(about, *files, Reply(CSV, headers=tagged))) as site:
        assert len(rows(resource_pages(site))) == 5000
    ranges = [asked.headers.get("range") for asked in site.asked if asked.path == "/fichier"]
    starts = [int((one or "=0-").partition("=")[2].removesuffix("-")) for one in ranges]
    assert starts == sorted(set(starts))
    assert [n - n % connect_http.PIECE for n in (0, 50_000, 66_000, 96_000)] == starts


@pytest.mark.parametrize("tags", [('"v1"', '"v2"'), ('W/"v1"', 'W/"v1"'), ("", "")])
def test_two_versions_of_a_file_are_never_joined(tags: tuple[str, str], nowhere: Path) -> None:
    """The file changed between two pieces, or nothing says that it did not: no range is used."""
    old = b"id;nature;adresse\n" + b"9;x;y\n" * 20_000
    one, two = ({"ETag": tag} if tag else {} for tag in tags)
    files = Reply(old, headers=one, cut=60_000), Reply(CSV, headers=two)
    with http(resource_server(described(), *files)) as site:
        found = rows(resource_pages(site))
    assert len(found) == 5000
    assert {row["nature"] for row in found} == {f"bruit n° {i}" for i in range(5000)}


def test_a_resource_that_changed_since_is_told(nowhere: Path) -> None:
    with http(
        resource_server(described(), Reply(CSV), Reply(CSV), Reply(CSV + b"x;y;z\n"))
    ) as site:
        (page,) = resource_pages(site)
        with pytest.raises(Changed):
            list(resource_pages(site, page.cursor.replace(digest("sha256"), "0")))
        with pytest.raises(Changed):
            list(resource_pages(site, page.cursor))


def test_a_portal_does_not_lead_astray(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may be on another server, which has no right to the token; not on this machine."""
    monkeypatch.setenv("PHARE_TOKEN_S", SECRET)
    with http(lambda _: Reply(CSV)) as other:
        with http(resource_server(described(url=other.url + "/f"), Reply(b""))) as site:
            assert len(rows(resource_pages(site))) == 5000
        with (
            http(resource_server(described(url="file:///etc/hostname"), Reply(b""))) as site,
            pytest.raises(PhareError, match="http"),
        ):
            list(resource_pages(site))
    assert [asked.headers.get("authorization") for asked in other.asked] == [None]


def test_a_form_that_cannot_be_read_is_told(nowhere: Path) -> None:
    with (
        http(resource_server(described(format="PDF"), Reply(b"%PDF"))) as site,
        pytest.raises(PhareError, match="une forme qui ne se lit pas"),
    ):
        list(resource_pages(site))
    assert [asked.path for asked in site.asked] == ["/ressource"]


def test_every_form_of_file_has_a_name_at_a_portal() -> None:
    assert set(ckan.FORMS.values()) == {"csv", "xlsx", "json", "jsonl", "parquet", "geojson",
                                             "gpkg", "shp", "datex"}  # fmt: skip


# Names written otherwise


def otherwise(permitted: list[str]) -> Callable[[Sequence[str]], Mapping[str, str]]:
    return lambda offered: headers.alike(permitted, offered, ())


def test_a_portals_fields_written_otherwise_are_read() -> None:
    portal = Portal()
    portal.records = [{**{"Id" if k == "id" else k: v for k, v in one.items()}} for one in SIGNALS]
    portal.names = ["Id", *list(SIGNALS[0])[1:]]
    permitted = ["id", "jour", "lieu.lon"]
    with http(portal) as site:
        pages = list(connect_pages.pages(
            FileFormat(format="opendatasoft"), site.url + DATASET, permitted, source="s",
            key=["id"], alike=otherwise(permitted),
        ))  # fmt: skip
        plain = list(connect_pages.pages(
            FileFormat(format="opendatasoft"), site.url + DATASET, permitted, source="s",
            key=["jour"],
        ))  # fmt: skip
    assert [row["id"] for row in rows(iter(pages))] == [str(i) for i in range(len(SIGNALS))]
    assert (pages[0].offered[0], pages[0].otherwise) == ("id", ("id",))
    assert {row["id"] for row in rows(iter(plain))} == {None}


def test_a_resources_columns_written_otherwise_are_read(nowhere: Path) -> None:
    body = CSV.replace(b"id;nature;", b"ID;Nature ;", 1)
    permitted, layout = (
        ["id", "nature"],
        FileFormat(format="ckan", separator=";", encoding="cp1252"),
    )
    with http(resource_server(described(), Reply(body))) as site:
        pages = list(connect_pages.pages(layout, site.url + "/ressource", permitted, source="s",
                                         alike=otherwise(permitted)))  # fmt: skip
    assert rows(iter(pages))[7] == {"fault": None, "id": "7", "nature": "bruit n° 7"}
    assert pages[0].offered == ("id", "nature", "adresse")
    assert set(pages[0].otherwise) == {"id", "nature"}


def test_requests_whose_keys_are_written_otherwise_are_read() -> None:
    answer = georeport(50, paged=True)

    def renamed(asked: Asked) -> Reply:
        reply = answer(asked)
        return Reply(reply.body.replace(b'"lat"', b'"LAT"'), reply.status)

    with http(renamed) as site:
        url = site.url + "/?start_date=2024-01-01&end_date=2024-01-31"
        found = rows(connect_pages.pages(FileFormat(format="open311"), url, COLUMNS, source="s",
                                         alike=otherwise(COLUMNS)))  # fmt: skip
    assert len(found) > 1000
    assert all(float(row["lat"]) >= 43.25 for row in found)


# Imports that are stopped

IMPORTS = """
import os, random, shutil, signal, sys, time
from pathlib import Path
import pyarrow.compute as pc
from helpers.connect import opendatasoft, pages, spool
from helpers.core.city import key
from helpers.core.city.contract import FileFormat

KEY = key.public("essai")
url, calm, shaken = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
opendatasoft.PAGE_ROWS = 200

def pages_from(cursor):
    return pages.pages(FileFormat(format="opendatasoft"), url, ["id", "jour", "lieu.lon"], cursor,
                        source="s", key=["id"])

def clean(table):
    jours = table["jour"]
    masked = pc.if_else(pc.equal(jours, "2024-01-13"), "[telephone]", jours)
    return table.set_column(table.schema.get_field_index("jour"), "jour", masked)

def deadly(function, calls, fatal):
    # SIGKILL just before, or just after, the fatal call: between writing and renaming, for one.
    def call(*given, **named):
        calls.append(function)
        if len(calls) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        done = function(*given, **named)
        calls.append(function)
        if len(calls) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    return call

def run(folder, fatal=0, killed_after=None):
    # A process of its own, that may die; return whether it was killed.
    child = os.fork()
    if child == 0:
        calls = []
        os.replace, os.fsync = deadly(os.replace, calls, fatal), deadly(os.fsync, calls, fatal)
        spool.take_pages(pages_from, folder, clean, list, KEY)
        os._exit(0)
    if killed_after is not None:
        time.sleep(killed_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL, status
    return status != 0

spool.take_pages(pages_from, shaken.with_name("warm"), clean, list, KEY)  # what loads late
began = time.monotonic()
assert not run(calm)
whole = time.monotonic() - began
"""
# A page is 12 moments: before and after a flush, a rename and a flush, of a part then a journal.
EACH_WRITE = """
for fatal in [*range(1, 13), 30, 60]:
    assert run(shaken / str(fatal), fatal)
    assert not run(shaken / str(fatal))
for fatal in range(1, 13):
    assert run(shaken / "one", fatal)
assert not run(shaken / "one")
"""
AT_RANDOM = """
chance = random.Random(11)
for folder in range(4):
    at, killed, within = shaken / str(folder), 0, whole
    for _ in range(40):
        if run(at, 0, within * chance.random()):
            killed += 1
        else:  # whole before its death: the calm one was slow for another reason; anew, and sooner
            shutil.rmtree(at)
            killed, within = 0, within * 0.8
        if killed == 3:
            break
    assert killed
    assert not run(shaken / str(folder))
"""


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("deaths", [EACH_WRITE, AT_RANDOM], ids=["each-write", "random"])
def test_an_import_killed_anywhere_ends_with_the_same_bytes(deaths: str, tmp_path: Path) -> None:
    portal = Portal()

    def slow(asked: Asked) -> Reply:
        time.sleep(0.005)
        return portal(asked)

    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    folders = [str(tmp_path / "calm"), str(tmp_path / "shaken")]
    with http(slow) as site:
        command = [sys.executable, "-c", IMPORTS + deaths, site.url + DATASET, *folders]
        subprocess.run(command, env=env, check=True)
    calm = held(tmp_path / "calm")
    assert len(calm) == 1000 / 200 + len({spool.JOURNAL, spool.LOCK})
    shaken = sorted((tmp_path / "shaken").iterdir())
    assert len(shaken) >= 4
    for folder in shaken:
        assert held(folder) == calm, folder.name
    parts = [tmp_path / "calm" / name for name in calm if name.endswith(".parquet")]
    whole = pq.read_table(parts)
    assert whole["id"].to_pylist() == [str(i) for i in range(1000)]
    assert "[telephone]" in whole["jour"].to_pylist()
    assert "2024-01-13" not in whole["jour"].to_pylist()


def some_pages(count: int, *, stop: int | None = None) -> Callable[[str | None], Iterator[Page]]:
    """Give pages of two rows; raise before page `stop`."""

    def pages_from(cursor: str | None) -> Iterator[Page]:
        for i in range(int(cursor or 0), count):
            if i == stop:
                raise PhareError("coupure", "essai", "relancer")
            table = pa.table({"fault": pa.nulls(2, pa.string()), "id": [f"{i}", f"{i}b"]})
            yield Page(table, str(i + 1), i + 1 == count, ("id", "nom"))

    return pages_from


def same(table: pa.Table) -> pa.Table:
    return table


def test_an_import_that_is_done_is_not_asked_again(tmp_path: Path) -> None:
    parts = spool.take_pages(some_pages(3), tmp_path / "s", same, list, KEY)

    def never(cursor: str | None) -> Iterator[Page]:
        raise AssertionError

    assert spool.take_pages(never, tmp_path / "s", same, list, KEY) == parts
    assert spool.read_journal(tmp_path / "s").done
    assert spool.read_journal(tmp_path / "s").offered == ["id", "nom"]
    other = spool.take_pages(some_pages(3), tmp_path / "t", same, list, KEY)
    assert [one.read_bytes() for one in parts] == [one.read_bytes() for one in other]


def test_the_journal_tells_neither_where_it_is_nor_what_it_was_offered(tmp_path: Path) -> None:
    asked: list[str | None] = []

    def pages_from(cursor: str | None) -> Iterator[Page]:
        asked.append(cursor)
        table = pa.table({"fault": pa.nulls(1, pa.string()), "id": ["x"]})
        yield Page(table, f"après {PERSON}", False, ("id", PERSON))
        raise PhareError("coupure", "essai", "relancer")

    def called(offered: Sequence[str]) -> list[str]:
        return [name if name == "id" else KEY.hash(name) for name in offered]

    for known in (KEY, KEY, key.public("autre")):
        with pytest.raises(PhareError, match="coupure"):
            spool.take_pages(pages_from, tmp_path, same, called, known)
        for path in tmp_path.iterdir():
            assert PERSON.encode() not in path.read_bytes(), path
    assert asked == [None, f"après {PERSON}", None]  # by another key: from the beginning
    assert spool.read_journal(tmp_path).offered == ["id", KEY.hash(PERSON)]


def test_a_part_that_was_altered_is_not_trusted(tmp_path: Path) -> None:
    calm = spool.take_pages(some_pages(4), tmp_path / "calm", same, list, KEY)
    with pytest.raises(PhareError, match="coupure"):
        spool.take_pages(some_pages(4, stop=3), tmp_path / "s", same, list, KEY)
    (tmp_path / "s" / "part-000002.parquet").write_bytes(b"abime")
    (tmp_path / "s" / "part-000009.parquet").write_bytes(b"inconnue")
    (tmp_path / "s" / "a_nous.txt").write_text("reste", encoding="utf-8")
    parts = spool.take_pages(some_pages(4), tmp_path / "s", same, list, KEY)
    assert [one.read_bytes() for one in parts] == [one.read_bytes() for one in calm]
    assert sorted(p.name for p in (tmp_path / "s").glob("*.parquet")) == [p.name for p in calm]
    assert (tmp_path / "s" / "a_nous.txt").is_file()


def test_a_source_that_changed_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="coupure"):
        spool.take_pages(some_pages(4, stop=2), tmp_path, same, list, KEY)
    new = some_pages(3)

    def changed(cursor: str | None) -> Iterator[Page]:
        if cursor is not None:
            raise Changed("essai")
        return new(None)

    parts = spool.take_pages(changed, tmp_path, same, list, KEY)
    assert pq.read_table(parts)["id"].to_pylist() == ["0", "0b", "1", "1b", "2", "2b"]


def test_a_source_that_never_stays_the_same_is_given_up(tmp_path: Path) -> None:
    def always(cursor: str | None) -> Iterator[Page]:
        yield next(some_pages(2)(None))
        raise Changed("essai")

    with pytest.raises(Changed):
        spool.take_pages(always, tmp_path, same, list, KEY)
    assert not spool.read_journal(tmp_path).done


def test_two_imports_do_not_share_a_folder(tmp_path: Path) -> None:
    def meanwhile(cursor: str | None) -> Iterator[Page]:
        with pytest.raises(PhareError, match="autre import"):
            spool.take_pages(some_pages(1), tmp_path, same, list, KEY)
        return some_pages(1)(cursor)

    assert len(spool.take_pages(meanwhile, tmp_path, same, list, KEY)) == 1
