"""Do the reports say what was planted, and only it?

`python -m helpers.simulate.told [city …]` reads what a run of simulated cities published, tables
and sentences, and prints one line a thing planted or left alone: what the report should do, where
it says it, the sentence, and whether that is right; then what is said and was not planted. Needs a
run of the city (`data/<city>`). What is planted is read from the pack's `simulation.yaml` alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from helpers.core.base import commands
from helpers.core.base.workspace import find_root
from helpers.core.city.city import City
from helpers.simulate import told_checks, told_counting
from helpers.simulate.published import Published, Said
from helpers.simulate.settings import load_settings

YES_NO = {True: "oui", False: "non"}
LONGEST = 160  # characters of a sentence that are printed


def main(keys: list[str]) -> int:
    """Print what each city's reports say of what was planted; 1 if anything is wrong."""
    root, wrong = find_root(), 0
    for key in keys or ["marseille"]:
        city = City(root / "data/cities" / key)
        run = Published(city, load_settings(city.pack), root / "data" / key)
        found = list(graded(run))
        wrong += sum(not one.right for one in found)
        print(f"\n## {key}, graine {run.settings.seed}\n")
        print("| planté | à dire | où | ce qui est écrit | juste |\n|---|---|---|---|---|")
        for one in found:
            sentence = one.sentence.replace("|", "/")
            short = sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}…"
            asked, agrees = (YES_NO[flag] for flag in (one.due, one.right))
            print(f"| {one.what} | {asked} | {one.where} | {short} | {agrees} |")
        for due, title in ((True, "plantées et dites"), (False, "non plantées et tues")):
            mine = [one.right for one in found if one.due == due]
            print(f"\n{title} : {sum(mine)} sur {len(mine)}")
    return int(wrong > 0)


def graded(run: Published) -> Iterator[Said]:
    """Yield each thing planted, and each left alone, with what the run's reports say of it."""
    for check in (*told_checks.ALL, *told_counting.ALL):
        yield from check(run)


if __name__ == "__main__":
    commands.begin()
    sys.exit(main(sys.argv[1:]))
