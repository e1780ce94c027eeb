"""First and family names of many origins, ordinary words, and how a name nobody listed is spelt.

The lists are facts with their sources (first lines of each file of lists/): folded tokens, no
accents. What no list holds is judged by its spelling: a chain of four letters, learnt from the
lists when a text must first be judged (interpolated as in Jelinek and Mercer, 1980), says how much
likelier a word is among names, each origin weighing the same, than among ordinary words.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

LISTS = Path(__file__).parent / "lists"
LETTERS = 27  # a to z, and the edge of a word
ORDER = 4
TRUST = (8.0, 8.0, 6.0)  # how many letters seen after two, three, four are worth a shorter chain
OF_PLACES = 0.3  # what a place's spelling weighs among words: family names come of places
WEAK = "weak"  # common names that are words, places or months too
# Evidence, in rising order: a word, a place, one that somebody bears as a name, no vowel at all,
# what no list holds and is not spelt like a name. First names that are nothing else say 5.
WORD, PLACE, WORD_AND_NAME, PLACE_AND_NAME, UNSAID, UNLIKELY = -7.0, -6.0, -5.5, -5.0, -4.2, -4.15
UNLISTED = 2.9  # what spelling alone says at most: less than any list
# The syllables of Mandarin in Latin letters (ISO 7098), and some that it has not.
_INITIAL = "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?"
_FINAL = "(?:i?a(?:ng?|o|i)?|i?e(?:ng?|i|r)?|i(?:ng?|ong|u)?|ong?|ou?|u(?:a(?:ng?|i)?|[eino])?)"
PINYIN = re.compile(f"(?:{_INITIAL}{_FINAL}){{2}}")
STRANGE = 3.0  # spelling so much likelier of a name: beside a word that is a name too, it tells
BORNE = 1.0  # the same of a family name that a list holds
SHORT = {1: -1.0, 2: 0.0, 3: 1.0, 4: 2.2}  # what few letters that no list holds say at most
VOWEL = re.compile("[aeiouy]")
OURS = "phare"  # first names that are hardly ever anything else, whatever the dictionary says


@dataclass(frozen=True)
class Lists:
    """Folded tokens: by origin of names, and those of the language and of places."""

    first: dict[str, frozenset[str]]
    family: dict[str, frozenset[str]]
    surely: frozenset[str]
    weak: frozenset[str]
    words: frozenset[str]
    places: frozenset[str]

    def without(self, held_out: Callable[[str], bool]) -> Lists:
        """Return the lists as if nobody had written the tokens that `held_out` picks."""

        def kept(tokens: frozenset[str]) -> frozenset[str]:
            return frozenset(token for token in tokens if not held_out(token))

        return Lists(
            {origin: kept(tokens) for origin, tokens in self.first.items()},
            {origin: kept(tokens) for origin, tokens in self.family.items()},
            kept(self.surely),
            kept(self.weak),
            kept(self.words),
            kept(self.places),
        )


@dataclass(frozen=True)
class Known:
    """What judges a token: the lists put together, and the spelling of names and of words."""

    told: Lists = field(repr=False, compare=False)
    first: frozenset[str]
    family: frozenset[str]
    surely: frozenset[str]
    weak: frozenset[str]
    words: frozenset[str]
    places: frozenset[str]
    weighed: dict[str, float] = field(default_factory=dict, compare=False)

    @cached_property
    def spelling(self) -> array[float]:
        """How much likelier each run of four signs is of a name than of a word (27**4 logs).

        Learnt when a word that no list holds comes for the first time.
        """
        return _spelling(self.told)

    def holds(self, token: str) -> bool:
        """Tell whether a list holds the token."""
        return any(token in tokens for tokens in (self.words, self.places, self.first, self.family))

    def likeness(self, token: str) -> float:
        """Return how much likelier the spelling is of a name than of a word (log of the ratio)."""
        at, total, modulus = 0, 0.0, LETTERS**3
        for sign in token:
            at = at % modulus * LETTERS + ord(sign) - 96
            total += self.spelling[at]
        return total + self.spelling[at % modulus * LETTERS]

    def unmistakable(self, token: str) -> bool:
        """Tell whether a token that no list holds is spelt as names alone are: « mavoungou ».

        Two syllables of Mandarin in one word are a Chinese first name: « lianying ».
        """
        if len(token) in SHORT or not VOWEL.search(token) or self.holds(token):
            return False
        return self.likeness(token) >= STRANGE or PINYIN.fullmatch(token) is not None

    def is_name_alone(self, token: str) -> bool:
        """Tell whether a token is spelt as names are, and is no word and no place: « ntumba »."""
        if len(token) in SHORT or not VOWEL.search(token):
            return False
        if token in self.words or token in self.places:
            return False
        return self.likeness(token) >= (BORNE if token in self.family else STRANGE)

    def evidence(self, token: str) -> float:
        """Return what a token (a to z) says for a person's name, about in units of log odds.

        Five for a first name that is nothing else, minus seven for a word of the language; what no
        list holds has its spelling.
        """
        found = self.weighed.get(token)
        if found is None:
            found = self.weighed[token] = self._weigh(token)
        return found

    def _weigh(self, token: str) -> float:
        word, place = token in self.words, token in self.places
        named = token in self.first or token in self.family
        if token in self.weak:
            return 1.5
        if token in self.surely or (token in self.first and not (word or place)):
            return 5.0 if len(token) > 2 else 1.5
        if word:
            return WORD_AND_NAME if named else WORD
        if place:
            return PLACE_AND_NAME if named else PLACE
        likeness = self.likeness(token)
        if token in self.family:
            return 3.0 + min(2.0, max(0.0, likeness / 3)) if len(token) > 2 else 1.5
        if not VOWEL.search(token):
            return UNSAID
        return min(SHORT.get(len(token), UNLISTED), max(UNLIKELY, likeness))


@cache
def lists() -> Lists:
    """Return the lists of the folder lists/."""
    first: dict[str, frozenset[str]] = {}
    family: dict[str, frozenset[str]] = {}
    surely: set[str] = set()
    common: set[str] = set()  # family names that many bear, of words and places too
    weak: frozenset[str] = frozenset()
    for path in sorted((LISTS / "names").glob("*.txt")):
        told: dict[str, set[str]] = {"first": set(), "family": set()}
        for kind, source, tokens in (line.split("\t") for line in _lines(path)):
            told[kind].update(tokens.split())
            if source == OURS and path.stem != WEAK:
                (surely if kind == "first" else common).update(tokens.split())
        if path.stem == WEAK:
            weak = frozenset(told["first"] | told["family"])
        else:
            first[path.stem], family[path.stem] = (frozenset(told[k]) for k in ("first", "family"))
    words, places = (
        frozenset(word for path in paths for line in _lines(path) for word in line.split())
        for paths in (sorted(LISTS.glob("words_*.txt")), [LISTS / "places.txt"])
    )
    weak |= frozenset(common & (words | places)) - surely
    return Lists(first, family, frozenset(surely), weak, words, places)


def _lines(path: Path) -> list[str]:
    """Return the lines of a list, without those that tell its sources."""
    return [line for line in path.read_text("ascii").splitlines() if not line.startswith("#")]


@cache
def known() -> Known:
    """Return what the lists of the folder teach, learnt once."""
    return learn(lists())


def learn(told: Lists) -> Known:
    """Return what judges a token, learnt from the lists: the same lists, the same numbers."""
    return Known(
        told,
        frozenset().union(*told.first.values()),
        frozenset().union(*told.family.values()),
        told.surely,
        told.weak,
        told.words,
        told.places,
    )


def _spelling(told: Lists) -> array[float]:
    """Return the logs of the ratio of chances of names and of words, as a flat array."""
    origins = sorted(told.first)
    by_origin = [
        _chain(told.first[origin] | told.family.get(origin, frozenset())) for origin in origins
    ]
    names = sum(counts / np.sqrt(max(1.0, counts.sum())) for counts in by_origin)
    seen = np.sum([counts.sum() for counts in by_origin])
    names = np.asarray(names) * (seen / np.sum(names))
    ordinary = _chain(told.words) + OF_PLACES * _chain(told.places)
    ratio = np.log(_chances(names)) - np.log(_chances(ordinary))
    return array("f", ratio.astype(np.float32).tobytes())


def _chain(tokens: Iterable[str]) -> npt.NDArray[np.float64]:
    """Count each run of four signs (27, 27, 27, 27): the edge is 0, three begin a word."""
    text = "```".join(("", *tokens, ""))  # in any order: runs are counted
    signs = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int32) - 96
    runs = signs[: 1 - ORDER]
    for ahead in range(1, ORDER):
        runs = runs * LETTERS + signs[ahead : len(signs) - ORDER + 1 + ahead]
    last = (signs[3:] != 0) | (signs[2:-1] != 0)
    counts = np.bincount(runs[last], minlength=LETTERS**ORDER).astype(np.float64)
    return counts.reshape((LETTERS,) * ORDER)


def _chances(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the chance of each sign after the three before it, short chains lending to long."""
    chance: npt.NDArray[np.float64]
    chance = (counts.sum(axis=(0, 1, 2)) + 1) / (counts.sum() + LETTERS)
    for axes, trust in zip(((0, 1), (0,), ()), TRUST, strict=True):
        seen = counts.sum(axis=axes) if axes else counts
        chance = (seen + trust * chance) / (seen.sum(axis=-1, keepdims=True) + trust)
    return chance
