"""Counts by hour of what cameras say, that outlive the process which counts.

The journal has a file an hour (UTC): counts, cameras heard, digests of the last messages, so that
one delivered twice counts once. Nothing else of a message is ever written. Closed hours go to one
CSV a day. An hour in which no camera of a zone was heard has no row there: missing is not zero.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from helpers.connect.onvif import Event, Fate, Kind
from helpers.connect.spool import write_whole
from helpers.core.base.errors import PhareError

HOUR = dt.timedelta(hours=1)
GRACE = dt.timedelta(minutes=10)  # after which an hour is closed; later messages amend it
KEPT = dt.timedelta(days=2)  # after the end of a day, its hours can no longer be amended
MOST_LATE = dt.timedelta(days=7)
AHEAD = dt.timedelta(minutes=2)  # a clock further ahead is wrong: the time of arrival is taken
REMEMBERED = 4096  # digests an hour: a broker sends again at most what it had in flight
UNKNOWN_ZONE = "inconnu"
COLUMNS = ("zone_id", "heure", "type", "technique", "nb_alertes", "nb_cameras_actives",
           "dispo_pct")  # fmt: skip
SAID = ("heure", "sort", "nombre")


@dataclass(frozen=True)
class Camera:
    """Where a camera looks, and what it is set to detect (so that none of it is a true zero)."""

    token: str
    zone: str
    detects: frozenset[Kind]


def read_cameras(path: Path) -> dict[str, Camera]:
    """Read a CSV of columns `token;zone_id` and, if known, `detecte` (words, a blank between).

    A token is the producer of a topic, its video source, or both with a stroke between.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")), delimiter=";"))
        return {row["token"]: _camera(row) for row in rows}
    except (OSError, UnicodeError, csv.Error, KeyError, TypeError):
        raise PhareError(
            "liste des caméras illisible",
            "liste des caméras (--cameras)",
            "donner un CSV UTF-8 de colonnes `token;zone_id;detecte`",
        ) from None


def _camera(row: dict[str, str]) -> Camera:
    words = (row.get("detecte") or "").split()
    types = {"intrusion_zone"}
    kinds = {Kind(type=word) if word in types else Kind(technique=word) for word in words}
    return Camera(row["token"], row["zone_id"], frozenset(kinds))


def journal(out: Path, source: str) -> Path:
    """Return the folder of the journal, made if need be."""
    folder = out / f"{source}.journal"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Hour(msgspec.Struct):
    """An hour of the journal. `heard`: camera → bits, one a period in which its heart beat."""

    counts: dict[str, int] = {}
    heard: dict[str, int] = {}
    fates: dict[str, int] = {}
    seen: list[str] = []


class Ledger:
    """The hours that may still change, in memory and in `folder`; days go to `out`.

    `beats` is the number of heartbeats expected of a camera in an hour, 0 if there are none.
    """

    def __init__(self, out: Path, source: str, cameras: dict[str, Camera], beats: int) -> None:
        self._out, self._source, self._cameras, self._beats = out, source, cameras, beats
        self._folder = journal(out, source)
        self._hours = {
            _moment(path.stem): msgspec.json.decode(path.read_bytes(), type=Hour)
            for path in sorted(self._folder.glob("*.json"))
        }
        self._changed: set[dt.datetime] = set()
        self._touches: Counter[dt.date] = Counter()
        self._written: dict[dt.date, tuple[int, int]] = {}

    def note(self, fate: Fate, now: dt.datetime) -> Fate:
        """Count what became of a message, in the hour of its arrival."""
        hour = self._hour(_floor(now))
        hour.fates[fate] = hour.fates.get(fate, 0) + 1
        return fate

    def beat(self, producer: str, now: dt.datetime) -> Fate:
        """Note that a camera's heart beat; what it said is not read."""
        camera = self._cameras.get(producer)
        if camera and self._beats:
            hour = self._hour(_floor(now))
            slot = int((now - _floor(now)) / HOUR * self._beats)
            hour.heard[camera.token] = hour.heard.get(camera.token, 0) | 1 << slot
        return self.note("battement", now)

    def take(self, one: Event, kind: Kind, producer: str, digest: str, now: dt.datetime) -> Fate:
        """Count an event once, in the hour in which it happened."""
        when = one.when if one.when <= now + AHEAD else now
        if when < now - MOST_LATE or self._is_past(when.date()):
            return self.note("tardif", now)
        hour = self._hour(_floor(when))
        if digest in hour.seen:
            return self.note("doublon", now)
        hour.seen = [*hour.seen[-REMEMBERED + 1 :], digest]
        camera = self._camera_of(producer, one.token)
        if camera:
            hour.heard.setdefault(camera.token, 0)
        if one.begins:
            key = f"{camera.zone if camera else UNKNOWN_ZONE}|{kind.type}|{kind.technique}"
            hour.counts[key] = hour.counts.get(key, 0) + 1
        if when is not one.when:
            self.note("horloge", now)
        return self.note("compte" if one.begins else "sans_objet", now)

    def _camera_of(self, producer: str, token: str) -> Camera | None:
        names = (f"{producer}/{token}", producer, token)
        return next((self._cameras[name] for name in names if name in self._cameras), None)

    def _hour(self, start: dt.datetime) -> Hour:
        self._changed.add(start)
        self._touches[start.date()] += 1
        return self._hours.setdefault(start, Hour())

    def _is_past(self, day: dt.date) -> bool:
        """Tell whether a day was written and its hours forgotten."""
        return self._file(day).exists() and not any(h.date() == day for h in self._hours)

    def _file(self, day: dt.date) -> Path:
        return self._out / f"{self._source}-{day}.csv"

    def flush(self) -> None:
        """Write the hours that changed: what was counted up to now is safe."""
        for start in sorted(self._changed):
            write_whole(
                self._folder / f"{_name(start)}.json", msgspec.json.encode(self._hours[start])
            )
        self._changed.clear()

    def close(self, now: dt.datetime) -> None:
        """Write the days that have closed hours, if they changed; forget those that are past."""
        self.flush()
        closed = [start for start in sorted(self._hours) if start + HOUR + GRACE <= now]
        for day in sorted({start.date() for start in closed}):
            hours = [start for start in closed if start.date() == day]
            state = (len(hours), self._touches[day])
            if self._written.get(day) != state:
                said = ((_text(h), *item) for h in hours for item in self._fates(h))
                rows = (row for start in hours for row in self._rows(start))
                write_whole(self._out / f"etat-{self._source}-{day}.csv", _csv(SAID, said))
                write_whole(self._file(day), _csv(COLUMNS, rows))
                self._written[day] = state
            if now >= _midnight(day) + dt.timedelta(days=1) + KEPT:
                self._forget(hours)

    def _forget(self, hours: list[dt.datetime]) -> None:
        for start in hours:
            del self._hours[start]
            (self._folder / f"{_name(start)}.json").unlink()

    def _fates(self, start: dt.datetime) -> list[tuple[str, str]]:
        return [(fate, str(n)) for fate, n in sorted(self._hours[start].fates.items())]

    def _rows(self, start: dt.datetime) -> Iterator[tuple[str, ...]]:
        """Yield the rows of an hour, of the zones of which a camera was heard."""
        hour = self._hours[start]
        counts = {_key(key): n for key, n in hour.counts.items()}
        zones = {self._cameras[token].zone for token in hour.heard if token in self._cameras}
        for zone in sorted(zones | {zone for zone, _ in counts}):
            active = [c for c in self._cameras.values() if c.zone == zone and c.token in hour.heard]
            kinds = {kind for camera in active for kind in camera.detects}
            for kind in sorted(kinds | {kind for place, kind in counts if place == zone}):
                count = str(counts.get((zone, kind), 0))
                about = [str(len(active)) if active else "", self._share(zone, hour)]
                yield (zone, _text(start), kind.type, kind.technique, count, *about)

    def _share(self, zone: str, hour: Hour) -> str:
        """Return the heartbeats heard of those expected of the zone's cameras, in per cent."""
        tokens = [camera.token for camera in self._cameras.values() if camera.zone == zone]
        if not self._beats or not tokens:
            return ""
        heard = sum(hour.heard.get(token, 0).bit_count() for token in tokens)
        return f"{100 * heard / (self._beats * len(tokens)):.1f}"


def _key(text: str) -> tuple[str, Kind]:
    zone, kind, technique = text.rsplit("|", 2)
    return zone, Kind(kind, technique)


def _csv(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _floor(when: dt.datetime) -> dt.datetime:
    return when.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _text(start: dt.datetime) -> str:
    return f"{start:%Y-%m-%dT%H:%M:%SZ}"


def _name(start: dt.datetime) -> str:
    return f"{start:%Y-%m-%dT%HZ}"


def _moment(name: str) -> dt.datetime:
    return dt.datetime.strptime(name, "%Y-%m-%dT%HZ").replace(tzinfo=dt.UTC)
