"""Many writers at once on one register, some of them killed: what each was told is in, in a file.

`writers` processes append one entry after the other; each writes the key of an entry before it
appends it, and its number once it is told that it is in. Every so often one is killed (SIGKILL)
wherever it stands, and another takes its place.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sqlalchemy.engine import make_url

from helpers.register import engine
from helpers.register.entries import Draft, Entry, MeasureTaken, new_key
from helpers.register.register import Register, Unreachable

CITY, THEME = "essai", "tapage"
EVERY_S = 0.4  # between two deaths
FORK = multiprocessing.get_context("fork")


def register_at(url: str, city: str = CITY) -> Register:
    """Return the register at an address of SQLAlchemy's, ready."""
    found = Register(city, (THEME,), engine.make(make_url(url)), "essai")
    found.ready()
    return found


def measure(number: int, key: str = "") -> Draft:
    """Return a draft on an event of that number."""
    payload = MeasureTaken(kind="measure_taken", measure="barrieres", state="prise")
    return Draft(role="chef_de_poste", subject=f"e{number:019x}", payload=payload,
                 key=key or new_key())  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the writers know: keys that they tried, key → number of the entries told to be in.

    `again`: how many times one had to say the same again.
    """

    tried: frozenset[str]
    entered: dict[str, int]
    killed: int
    again: int


def run(
    url: str,
    folder: Path,
    seconds: float,
    writers: int = 20,
    disturb: Callable[[], None] = lambda: None,
) -> Told:
    """Let the writers write for so long; every EVERY_S one is killed, and `disturb` called."""
    register_at(url)
    draws, killed, started = Random(20262), 0, 0
    crowd = []
    for _ in range(writers):
        crowd.append(_start(url, folder, started))
        started += 1
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(EVERY_S)
        disturb()
        place = draws.randrange(writers)
        crowd[place].kill()
        crowd[place].join()
        killed += 1
        crowd[place] = _start(url, folder, started)
        started += 1
    for one in crowd:
        one.kill()
    for one in crowd:
        one.join()
    return _told(folder, killed + writers)


def _start(url: str, folder: Path, number: int) -> multiprocessing.process.BaseProcess:
    one = FORK.Process(target=_write, args=(url, folder / f"{number}.told", number), daemon=True)
    one.start()
    return one


def _write(url: str, told: Path, number: int) -> None:
    register = Register(CITY, (THEME,), engine.make(make_url(url)), "essai")
    file = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for turn in range(1 << 30):
        draft = measure((number << 32) + turn)
        os.write(file, f"{draft.key}\n".encode())
        entered = _append(register, draft, file)
        os.write(file, f"{draft.key} {entered.seq}\n".encode())


def _append(register: Register, draft: Draft, file: int) -> Entry:
    """Append a draft as an app does: again, the same, as long as the store does not answer."""
    while True:
        try:
            return register.append(draft)
        except Unreachable:
            os.write(file, b"?\n")
            time.sleep(0.05)


def _told(folder: Path, killed: int) -> Told:
    tried, entered, again = set(), {}, 0
    for path in sorted(folder.glob("*.told")):
        for line in path.read_text(encoding="utf-8").splitlines():
            key, _, seq = line.partition(" ")
            if key == "?":
                again += 1
                continue
            tried.add(key)
            if seq:
                entered[key] = int(seq)
    return Told(frozenset(tried), entered, killed, again)


def lost(register: Register, told: Told) -> list[str]:
    """Return what a crowd's register does not hold as its writers know it; nothing where all is.

    The chain, the order, every entry told to be in under its number, and none that nobody tried.
    """
    rows = register.rows()
    held = {row["key"]: row["seq"] for row in rows}
    found = register.faults()
    found += [f"{key} perdue" for key, seq in told.entered.items() if held.get(key) != seq]
    found += [f"{key} de personne" for key in held if key not in told.tried]
    moments = [row["at"] for row in rows]
    return found if moments == sorted(moments) else [*found, "les heures ne se suivent pas"]
