"""Smart video over MQTT: a real broker, and what may never be kept."""

from __future__ import annotations

import csv
import datetime as dt
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from helpers.connect import mqtt, onvif
from helpers.connect.hours import Camera, Ledger, journal, read_cameras
from helpers.connect.onvif import Kind
from helpers.core.base.errors import PhareError
from helpers.core.city import key
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.real import ROOT
from tests.fixtures.servers import free_port, mosquitto, wait_for

PLATE = "AB-123-CD"
KEY = key.public("essai")
CROSSED, INSIDE = "RuleEngine/LineDetector/Crossed", "RuleEngine/FieldDetector/ObjectsInside"
COUNTER, CHANGED = "RuleEngine/CountAggregation/Counter", "VideoSource/GlobalSceneChange"
LINE, FIELD = Kind(technique="ligne_franchie"), Kind(type="intrusion_zone")
CAMERAS = {
    "cam1": Camera("cam1", "Z1", frozenset({LINE, FIELD})),
    "cam2/2": Camera("cam2/2", "Z1", frozenset()),
    "cam3": Camera("cam3", "Z2", frozenset({LINE})),
}
NOON = dt.datetime(2024, 5, 6, 12, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def topic(local: str, producer: str = "cam1") -> str:
    return f"ville/{producer}/onvif-ej/{local}/&1/{'a' * 3}"


def payload(when: dt.datetime, number: int = 0, **more: Any) -> bytes:
    """Write an event as a camera does, with more than anybody should keep."""
    told = {
        "UtcTime": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "PropertyOperation": "Changed",
        "Source": {"VideoSource": "2", "Rule": "ligne"},
        "Data": {"ObjectId": str(number), "Likelihood": 0.9, "PlateNumber": PLATE},
    }
    return json.dumps(told | more).encode()


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


class Desk:
    """A listener without a broker, whose clock we set."""

    def __init__(self, out: Path, beats: int = 0, heartbeat: str = "") -> None:
        self.now, self._out, self._beats, self._heartbeat = NOON, out, beats, heartbeat
        self.restart()

    def restart(self) -> None:
        journal(self._out, "vsi")
        self.ledger = Ledger(self._out, "vsi", CAMERAS, self._beats)
        place = mqtt.broker("mqtt://localhost/ville", "essai", "vsi")
        self._listener = mqtt.Listener(place, self.ledger, KEY, self._heartbeat, lambda: self.now)

    def hear(self, topic: str, payload: bytes, **more: Any) -> str:
        return self._listener.hear(topic, payload, **more)

    def day(self, date: str = "2024-05-06") -> dict[tuple[str, ...], tuple[str, ...]]:
        """Close what can be closed; return (zone, hour, kind) → (count, cameras, share)."""
        self.ledger.close(self.now)
        path = self._out / f"vsi-{date}.csv"
        return {
            (row["zone_id"], row["heure"][11:13], row["type"] or row["technique"]):
            (row["nb_alertes"], row["nb_cameras_actives"], row["dispo_pct"])
            for row in (table(path) if path.exists() else [])
        }  # fmt: skip

    def fates(self, date: str = "2024-05-06") -> dict[str, int]:
        self.ledger.close(self.now)
        fates: Counter[str] = Counter()
        for row in table(self._out / f"etat-vsi-{date}.csv"):
            fates[row["sort"]] += int(row["nombre"])
        return dict(fates)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ville/cam1/onvif-ej/RuleEngine/LineDetector/Crossed/&1/2/r", LINE),
        ("ville/cam1/onvif-ej/RuleEngine/LineDetector/Crossed&/1/2/r", LINE),
        ("ville/cam1/onvif-ej/RuleEngine/LineDetector/Crossed", LINE),
        ("ville/cam1/tns1:RuleEngine/LineDetector/Crossed", LINE),
        ("ville/cam1/onvif-ej/tns1:RuleEngine/FieldDetector/ObjectsInside/&1", FIELD),
        ("ville/cam1/onvif-ej/RuleEngine/CountAggregation/Counter", Kind(technique="comptage")),
        ("ville/cam1/onvif-ej/VideoSource/GlobalSceneChange/AnalyticsService/&1",
         Kind(technique="sabotage_camera")),
    ],
)  # fmt: skip
def test_topics_that_are_taken(said: str, kind: Kind) -> None:
    assert onvif.subject(said, "ville") == onvif.Subject("cam1", kind)


@pytest.mark.parametrize(
    "said",
    [
        "ville/cam1/onvif-ej/RuleEngine/Recognition/LicensePlate/&1",
        "ville/cam1/onvif-ej/RuleEngine/Recognition/Face",
        "ville/cam1/onvif-ej/tns1:RuleEngine/PlateDetector/Detected",
        "ville/cam1/onvif-ej/VideoAnalytics/FaceDetected",
        "ville/cam1/onvif-ej/RuleEngine/LineDetector/Crossed/LicensePlate",
        "ville/cam1/onvif-ej/RuleEngine/LineDetector/Crossed/&1/2/plaques",
        "ville/cam1/onvif-ej/RuleEngine/RECOGNITION/x",
        "ville/cam1/RuleEngine/Recognition/LicensePlate",
    ],
)
def test_recognition_is_refused_by_its_topic(
    said: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onvif, "event", lambda _: pytest.fail("a refused payload was parsed"))
    assert desk.hear(said, payload(NOON)) == "reconnaissance"
    desk.now = NOON + 2 * HOUR
    assert desk.fates() == {"reconnaissance": 1}
    assert desk.day() == {}


@pytest.mark.parametrize(
    "said",
    ["ville/cam1/onvif-ej/RuleEngine/LineDetector", "ville/cam1/onvif-ej/Device/Reboot", "ville",
     "ville/cam1/onvif-ej/RuleEngine/LineDetector/Crossed/Autre", "ville/cam1/onvif-mt/x",
     "ville/facade/onvif-ej/RuleEngine/MyRuleDetector/x"],
)  # fmt: skip
def test_what_is_not_named_is_not_taken(said: str, desk: Desk) -> None:
    assert desk.hear(said, payload(NOON)) == "autre_sujet"


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"UtcTime": "hier"}', b'{"UtcTime": 3}', b"[" * 60_000,
     b'{"UtcTime": "2024-05-06T12:00:00Z", "Source": []}', b"<xml/>"],
)  # fmt: skip
def test_an_odd_payload_is_noted_and_no_more(text: bytes, desk: Desk) -> None:
    assert desk.hear(topic(CROSSED), text) == "illisible"
    assert desk.hear(topic(CROSSED), b" " * (onvif.PAYLOAD_BYTES + 1)) == "trop_grand"


def test_hours_are_counted_and_missing_is_not_zero(desk: Desk) -> None:
    for i in range(3):
        assert desk.hear(topic(CROSSED), payload(NOON + i * MINUTE, i)) == "compte"
    assert desk.hear(topic(COUNTER, "cam2"), payload(NOON)) == "compte"
    assert desk.hear(topic(CROSSED, "cam9"), payload(NOON)) == "compte"
    desk.now = NOON + HOUR + 9 * MINUTE
    assert desk.hear(topic(CROSSED), payload(NOON + HOUR)) == "compte"
    assert desk.day() == {}, "the hour may still grow"
    desk.now = NOON + HOUR + 11 * MINUTE
    assert desk.day() == {
        ("Z1", "12", "comptage"): ("1", "2", ""),
        ("Z1", "12", "ligne_franchie"): ("3", "2", ""),
        ("Z1", "12", "intrusion_zone"): ("0", "2", ""),  # cam1 would have told, and was heard
        ("inconnu", "12", "ligne_franchie"): ("1", "", ""),
    }  # Z2 was not heard: no row, and no zero


def test_a_state_that_ends_or_is_told_again_begins_nothing(desk: Desk) -> None:
    for i, (inside, operation, fate) in enumerate(
        [(True, "Changed", "compte"), ("true", "Changed", "compte"),
         (False, "Changed", "sans_objet"), ("false", "Changed", "sans_objet"),
         (True, "Initialized", "sans_objet"), (True, "Deleted", "sans_objet")]
    ):  # fmt: skip
        text = payload(NOON, i, Data={"IsInside": inside}, PropertyOperation=operation)
        assert desk.hear(topic(INSIDE), text) == fate
    desk.now = NOON + 2 * HOUR
    assert desk.day()["Z1", "12", "intrusion_zone"] == ("2", "1", "")


def test_the_same_message_counts_once_and_a_retained_one_never(desk: Desk) -> None:
    assert desk.hear(topic(CROSSED), payload(NOON), retained=True) == "retenu"
    assert desk.hear(topic(CROSSED), payload(NOON)) == "compte"
    assert desk.hear(topic(CROSSED), payload(NOON)) == "doublon"
    desk.ledger.flush()
    desk.restart()
    assert desk.hear(topic(CROSSED), payload(NOON)) == "doublon"
    assert desk.hear(topic(CROSSED, "cam3"), payload(NOON)) == "compte"
    desk.now = NOON + 2 * HOUR
    assert desk.day()["Z1", "12", "ligne_franchie"][0] == "1"


def test_clocks_that_are_wrong_and_messages_that_are_late(desk: Desk) -> None:
    assert desk.hear(topic(CROSSED), payload(NOON + 90 * MINUTE)) == "compte"  # ahead: arrival
    desk.now = NOON + 3 * HOUR
    assert desk.day()["Z1", "12", "ligne_franchie"][0] == "1"
    assert desk.hear(topic(CROSSED), payload(NOON + MINUTE)) == "compte"  # late: amends
    assert desk.day()["Z1", "12", "ligne_franchie"][0] == "2"
    assert desk.hear(topic(CROSSED), payload(NOON - dt.timedelta(days=8))) == "tardif"
    desk.now = NOON + dt.timedelta(days=3)
    before = desk.day()
    assert list((desk.ledger._folder).glob("2024-05-06*")) == [], "the day is closed for good"
    assert desk.hear(topic(CROSSED), payload(NOON + 2 * MINUTE)) == "tardif"
    desk.restart()
    assert desk.day() == before
    assert desk.hear(topic(CROSSED), payload(NOON + 3 * MINUTE)) == "tardif"


@pytest.mark.parametrize("date", ["2024-03-31", "2024-10-27"])
def test_hours_are_utc_on_the_nights_that_clocks_change(date: str, desk: Desk) -> None:
    """Each of the 24 hours of UTC has its own row, with one event."""
    start = dt.datetime.fromisoformat(f"{date}T00:00:00+00:00")
    desk.now = start + dt.timedelta(days=1)
    for hour in range(24):
        desk.hear(topic(CROSSED), payload(start + hour * HOUR + 30 * MINUTE, hour))
    desk.now = start + dt.timedelta(days=1, hours=2)
    crossed = {key[1]: row[0] for key, row in desk.day(date).items() if "ligne" in key[2]}
    assert crossed == {f"{hour:02}": "1" for hour in range(24)}


def test_local_offsets_are_read_as_such(desk: Desk) -> None:
    text = payload(NOON, UtcTime="2024-05-06T14:00:00+02:00")
    assert desk.hear(topic(CROSSED), text) == "compte"
    desk.now = NOON + 2 * HOUR
    assert ("Z1", "12", "ligne_franchie") in desk.day()


def test_availability_is_the_share_of_heartbeats(tmp_path: Path) -> None:
    desk = Desk(tmp_path, beats=60, heartbeat="etat")
    for minute in range(30):
        desk.now = NOON + minute * MINUTE
        for _ in range(2):  # said twice, it beat once
            assert desk.hear("ville/cam1/etat", b"\xff") == "battement"
        assert desk.hear("ville/cam3/etat", b"") == "battement"
        assert desk.hear("ville/cam9/etat", b"") == "battement"
    desk.now = NOON + 3 * HOUR
    assert desk.day() == {
        ("Z1", "12", "intrusion_zone"): ("0", "1", "25.0"),  # 30 of 120: cam2 never beat
        ("Z1", "12", "ligne_franchie"): ("0", "1", "25.0"),
        ("Z2", "12", "ligne_franchie"): ("0", "1", "50.0"),
    }


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 5 * 60 - 1),
        st.sampled_from(["cam1", "cam2", "cam3", "cam9"]),
        st.sampled_from([CROSSED, INSIDE, COUNTER, CHANGED]),
        st.integers(0, 3),
    ),
    max_size=40,
)


@settings(max_examples=20)
@given(EVENTS, st.lists(st.integers(0, 80), max_size=5), st.randoms(use_true_random=False))
def test_order_repeats_and_restarts_change_nothing(
    events: list[tuple[int, str, str, int]], restarts: list[int], chance: random.Random
) -> None:
    """The counts are those of the distinct messages, by zone, hour and kind."""
    zones = {"cam1": "Z1", "cam2": "Z1", "cam3": "Z2", "cam9": "inconnu"}
    names = {CROSSED: "ligne_franchie", INSIDE: "intrusion_zone", COUNTER: "comptage",
             CHANGED: "sabotage_camera"}  # fmt: skip
    expected = Counter(
        (zones[who], f"{12 + minute // 60}", names[what]) for minute, who, what, _ in set(events)
    )
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.now = NOON + 5 * HOUR
        told = events * 2
        chance.shuffle(told)
        for i, (minute, who, what, number) in enumerate(told):
            if i in restarts:
                desk.ledger.close(desk.now)
                desk.restart()
            desk.hear(topic(what, who), payload(NOON + minute * MINUTE, number))
        desk.now = NOON + 6 * HOUR
        found = {key: int(row[0]) for key, row in desk.day().items() if row[0] != "0"}
    assert found == dict(expected)


def test_a_list_of_cameras(tmp_path: Path) -> None:
    path = tmp_path / "cameras.csv"
    text = "token;zone_id;detecte\ncam1;Z1;ligne_franchie intrusion_zone\ncam2/2;Z1;\n"
    path.write_text(text + "cam3;Z2;ligne_franchie\n", encoding="utf-8")
    assert read_cameras(path) == CAMERAS
    path.write_text("camera;zone\n1;2\n", encoding="utf-8")
    with pytest.raises(PhareError, match="caméras"):
        read_cameras(path)
    with pytest.raises(PhareError, match="caméras"):
        read_cameras(tmp_path / "absente.csv")


@pytest.mark.parametrize(
    "url", ["http://h/p", "mqtt://", "mqtt://nom:secret@h/p", "mqtts://nom@h/p"]
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(PhareError) as caught:
        mqtt.broker(url, "essai", "vsi")
    assert "secret" not in str(caught.value)


def test_a_password_does_not_leave_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHARE_TOKEN_VSI", "phare:secret:long")
    with pytest.raises(PhareError, match="clair"):
        mqtt.broker("mqtt://1.1.1.1/ville", "essai", "vsi")
    place = mqtt.broker("mqtts://1.1.1.1/ville", "essai", "vsi")
    assert (place.user, place.password, place.port) == ("phare", "secret:long", 8883)


# With a broker


@contextmanager
def publisher(port: int) -> Iterator[Callable[..., None]]:
    """Yield what publishes and waits until the broker has it."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish(topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        client.publish(topic, payload, qos, retain).wait_for_publish(10)

    try:
        yield publish
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def workshop(tmp_path: Path) -> tuple[Path, int]:
    """A city with one MQTT source, and the port where its broker will be."""
    port = free_port()
    source = {"vsi": {"url": f"mqtt://127.0.0.1:{port}/ville"}}
    pack = write_pack(tmp_path / "packs", city=CITY | {"sources": CITY["sources"] | source}).pack
    lines = ["token;zone_id;detecte", "cam1;Z1;ligne_franchie"]
    (pack / "cameras.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "data/cities").mkdir(parents=True)
    active = "cities: {essai: {pack: packs/essai}}\n"
    (tmp_path / "data/cities/active.yaml").write_text(active, encoding="utf-8")
    return tmp_path, port


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def listen() -> Iterator[Start]:
    """Yield what starts the command; no process outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(root: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        started.append(_listen(root, env or {}))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def _listen(root: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "helpers.connect.mqtt", "--city", "essai", "--source", "vsi"]
    whole = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **env}
    return subprocess.Popen(command, cwd=root, env=whole, stderr=subprocess.PIPE)


def stop(process: subprocess.Popen[bytes]) -> bytes:
    process.terminate()
    told = process.communicate(timeout=30)[1]
    assert process.returncode == 0, told.decode()
    return told


def is_locked(root: Path) -> bool:
    """Tell whether a listener holds the journal."""
    path = root / "packs/essai/livraison/vsi.journal/verrou"
    if not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def counted(root: Path) -> tuple[int, dict[str, int]]:
    """Return the crossings of Z1 in all closed hours, and the fates noted in the journal."""
    out = root / "packs/essai/livraison"
    rows = [row for path in out.glob("vsi-*.csv") for row in table(path)]
    fates: Counter[str] = Counter()
    for path in (out / "vsi.journal").glob("*.json"):
        fates.update(json.loads(path.read_text(encoding="utf-8"))["fates"])
    return sum(int(row["nb_alertes"]) for row in rows if row["zone_id"] == "Z1"), dict(fates)


def test_a_broker_and_a_listener_that_die(workshop: tuple[Path, int], listen: Start) -> None:
    """Killed, away, without a broker: each crossing counts once, and no plate is anywhere."""
    root, port = workshop
    past = dt.datetime.now(dt.UTC) - 3 * HOUR
    first = listen(root)  # before there is a broker
    with mosquitto(root / "broker", port), publisher(port) as publish:
        wait_for(lambda: _subscribed(root / "broker", publish, root), "listener")
        for i in range(100):
            publish(topic(CROSSED), payload(past, i))
            if i == 40:
                first.kill()  # what follows waits at the broker
                first.wait()
        publish(topic(CROSSED), payload(past, 1000), retain=True)  # seen as retained by nobody yet
        publish("ville/cam1/onvif-ej/RuleEngine/Recognition/LicensePlate", payload(past))
        for _ in range(2):  # the camera itself repeats
            publish(topic(CROSSED), payload(past, 55))
        for _ in range(2):
            again = listen(root)
            wait_for(lambda: counted(root)[1].get("compte", 0) > 41, "counts")
            again.kill()
            again.wait()
        last = listen(root)
        wait_for(lambda: counted(root)[0] >= 101, "all the crossings")
    with mosquitto(root / "broker", port), publisher(port) as publish:  # the broker came back
        wait_for(lambda: _counts_more(publish, past, root), "after the broker's return")
        told = stop(last)
    assert b"sans courtier" in told
    total, fates = counted(root)
    assert total == 102
    # Nothing is kept of a refused message, not even that it came: given again after a crash, it
    # is refused again.
    assert fates["reconnaissance"] >= 1
    assert fates["doublon"] >= 2
    everything = b"".join(path.read_bytes() for path in (root / "packs").rglob("*")
                          if path.is_file())  # fmt: skip
    assert PLATE.encode() not in everything
    assert b"ObjectId" not in everything


def _subscribed(folder: Path, publish: Callable[..., None], root: Path) -> bool:
    publish("ville/cam1/onvif-ej/Device/Reboot", b"{}")
    return counted(root)[1].get("autre_sujet", 0) > 0


def _counts_more(publish: Callable[..., None], past: dt.datetime, root: Path) -> bool:
    before = counted(root)[0]
    publish(topic(CROSSED), payload(past, 2000))
    return before > 101


def test_a_broker_that_refuses_us_is_told(workshop: tuple[Path, int], listen: Start) -> None:
    root, port = workshop
    with mosquitto(root / "broker", port, password="le-bon"):
        process = listen(root, {"PHARE_TOKEN_VSI": "phare:le-mauvais"})
        told = process.communicate(timeout=30)[1].decode()
        assert process.returncode == 1
        assert "refuse la connexion" in told
        assert "le-mauvais" not in told
        good = listen(root, {"PHARE_TOKEN_VSI": "phare:le-bon"})
        wait_for(lambda: is_locked(root), "lock")
        second = listen(root, {"PHARE_TOKEN_VSI": "phare:le-bon"})
        assert b"en cours" in second.communicate(timeout=30)[1]
        stop(good)


def test_the_journal_is_written_before_the_broker_is_told(
    workshop: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message is acknowledged only once what it counts for is on the disk."""
    root, port = workshop
    out = root / "out"
    seen: list[tuple[int, int]] = []
    true_ack = Client.ack

    def ack(self: Client, mid: int, qos: int) -> Any:
        held = [json.loads(path.read_text(encoding="utf-8")) for path in out.rglob("*Z.json")]
        seen.append((len(seen) + 1, sum(sum(one["fates"].values()) for one in held)))
        return true_ack(self, mid, qos)

    monkeypatch.setattr(Client, "ack", ack)
    journal(out, "vsi")
    ledger = Ledger(out, "vsi", CAMERAS, 0)
    place = mqtt.broker(f"mqtt://127.0.0.1:{port}/ville", "essai", "vsi")
    flag = threading.Event()
    with mosquitto(root / "broker", port), publisher(port) as publish:
        thread = threading.Thread(target=mqtt.Listener(place, ledger, KEY).run, args=(flag,))
        thread.start()
        try:
            publish(topic(CROSSED), payload(NOON), retain=True)
            for number in range(30):
                publish(topic(CROSSED), payload(NOON, number))
            wait_for(lambda: len(seen) > 0, "acknowledgement")
        finally:
            flag.set()
            thread.join()
    assert all(acknowledged <= noted for acknowledged, noted in seen)


def test_a_signal_stops_at_once(workshop: tuple[Path, int], listen: Start) -> None:
    root, _ = workshop
    process = listen(root)  # no broker at all
    wait_for(lambda: is_locked(root), "start")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
