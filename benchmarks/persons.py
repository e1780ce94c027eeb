"""What the second line of the door recognises, and what it takes for a person that is none.

Names by origin: one token in five of the lists is kept from the judge (`held_out`), whether a name,
a word or a place; persons are put together from those alone, and the judge is taught the rest. The
tables say each share with its interval (Wilson, 95 %); what separates the best from the least
recognised origin is a figure of its own. Numbers are made with their keys. Three lists of persons
made up afterwards (`parts/unseen*.txt`) judge without having been tuned on; their last lines say
what they are once the judge was mended on the others.

`python -m benchmarks.persons [--size full]`
"""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pyarrow as pa
from scipy import stats

from benchmarks.parts import made_persons
from benchmarks.parts.measure import Size, parser, show_ratio
from helpers.collect import names, persons

SEED = 20261
UNSEEN = [
    Path(__file__).parent / f"parts/{name}.txt"
    for name in ("unseen", "unseen_again", "unseen_third")
]
PEOPLE: dict[Size, int] = {"tiny": 40, "small": 500, "full": 4000}  # an origin and a form
CLEAN: dict[Size, int] = {"tiny": 4000, "small": 100_000, "full": 400_000}


def share(texts: list[str], known: names.Known) -> float:
    """Return the share of the texts in which a person is recognised."""
    told = persons.screen(pa.array(texts, pa.string()), known)
    return 1 - told.null_count / len(told)


def by_origin(known: names.Known, count: int) -> dict[str, dict[str, float]]:
    """Return, for each origin and form of names never taught, the share that is recognised."""
    told = names.lists()
    found: dict[str, dict[str, float]] = {}
    for origin in sorted(told.first):
        pairs = made_persons.people(told, origin, Random(f"{SEED} {origin}"), count)
        found[origin] = {
            form: share([write(*pair) for pair in pairs], known)
            for form, write in made_persons.FORMS.items()
        }
    return found


def by_number(known: names.Known, count: int) -> dict[str, float]:
    """Return, for each kind of number, the share that is recognised."""
    return {
        kind: share([make(draws) for _ in range(count)], known)
        for kind, make in made_persons.NUMBERS.items()
        for draws in [Random(f"{SEED} {kind}")]
    }


def false_alarms(known: names.Known, count: int) -> dict[str, float]:
    """Return, for each kind of clean value, the share that is taken for a person."""
    made = made_persons.clean(names.lists(), Random(SEED), count)
    return {kind: share(texts, known) for kind, texts in made.items()}


def unseen(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Return origin → first and family names of people made up after the judge was set."""
    told: dict[str, list[tuple[str, str]]] = {}
    for line_ in path.read_text(encoding="utf-8").splitlines():
        if line_ and not line_.startswith("#"):
            origin, _, people = line_.partition(":")
            told[origin] = [tuple(one.strip().split(" ", 1)) for one in people.split(";")]  # type: ignore[misc]
    return told


def dressed(first: str, family: str, draws: Random) -> dict[str, str]:
    """Return what may stand for a person in a cell: name alone, then beside something else."""
    day = f"{draws.randrange(1, 29):02}/{draws.randrange(1, 13):02}/{draws.randrange(1940, 2007)}"
    title = draws.choice(("M.", "Mme", "Mlle", "Dr", "Me", "Monsieur", "Madame"))
    return {
        "Prénom Nom": f"{first} {family}",
        "NOM PRENOM": f"{family} {first}".upper(),
        "NOM, Prénom": f"{family.upper()}, {first}",
        "avec un titre": f"{title} {family.upper()}",
        "avec une date": f"{family.upper()} {first}, {day}",
        "avec un téléphone": f"{first} {family} {made_persons.telephone(draws)}",
        "avec une plaque": f"{made_persons.plate(draws)} {family}",
        "avec un NIR": f"{family} {made_persons.nir(draws)}",
        "avec un IBAN": f"{first} {family} {made_persons.account(draws)}",
    }


Shares = dict[str, tuple[float, int]]  # what → the share recognised, and of how many texts


def of_unseen(path: Path) -> tuple[Shares, Shares]:
    """Return the shares recognised by form, then by origin and form of the name alone."""
    known, draws = names.known(), Random(SEED)
    told = {
        origin: [dressed(first, family, draws) for first, family in people]
        for origin, people in unseen(path).items()
    }
    every = [one for people in told.values() for one in people]
    forms = {form: (share([one[form] for one in every], known), len(every)) for form in every[0]}
    origins = {
        f"{origin}, {form}": (share([one[form] for one in people], known), len(people))
        for origin, people in told.items()
        for form in made_persons.FORMS
    }
    return forms, origins


def taught() -> names.Known:
    """Return a judge that was taught four tokens in five."""
    return names.learn(names.lists().without(made_persons.held_out))


def line(name: str, value: float, count: int) -> str:
    """Return a share of `count` with its interval (Wilson, 95 %)."""
    low, high = stats.binomtest(round(value * count), count).proportion_ci(0.95, "wilson")
    return f"  {name:34} {value:7.2%}  [{low:.2%} ; {high:.2%}]"


def main() -> None:
    """Print the tables, then the ratios."""
    size: Size = parser(__doc__).parse_args().size
    count, known = PEOPLE[size], taught()
    began = time.perf_counter()
    origins = by_origin(known, count)
    named = time.perf_counter() - began
    print(f"Rappel des noms jamais appris, {count} personnes par origine et par forme")
    for origin, forms in origins.items():
        for form, value in forms.items():
            print(line(f"{origin}, {form}", value, count))
    print(f"Rappel des numéros, {count} par sorte")
    for kind, value in by_number(known, count).items():
        print(line(kind, value, count))
    began = time.perf_counter()
    alarms = false_alarms(known, CLEAN[size])
    cleared = time.perf_counter() - began
    print(f"Fausses alertes, {CLEAN[size]} valeurs propres, un cinquième des mots jamais appris")
    for kind, value in alarms.items():
        print(line(kind, value, CLEAN[size] // len(alarms)))
    print(line("ensemble", sum(alarms.values()) / len(alarms), CLEAN[size]))
    for path in UNSEEN:
        print(f"Personnes jamais vues de qui a réglé le juge ({path.name}), les listes entières")
        for shares in of_unseen(path):
            for name, (value, n) in shares.items():
                print(line(name, value, n))
    means = {origin: sum(forms.values()) / len(forms) for origin, forms in origins.items()}
    least, best = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    show_ratio(f"rappel, {least} / {best}", means[least], means[best])
    show_ratio(
        "secondes par texte, noms / valeurs propres",
        named / (len(made_persons.FORMS) * count * len(origins)),
        cleared / CLEAN[size],
    )


if __name__ == "__main__":
    main()
