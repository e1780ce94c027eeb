"""Questions of a city's portfolio, as written under `questions` in its `themes.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from helpers.core.base.yaml_models import Strict, Title, Words
from helpers.core.city.names import DayKind

DayWord = Literal["jour ouvré", "week-end", "vacances scolaires", "jour férié", "événement"]
KINDS: dict[DayWord, DayKind] = {  # a kind of day, as packs say it and as tables have it
    "jour ouvré": "working_day",
    "week-end": "weekend",
    "vacances scolaires": "school_holidays",
    "jour férié": "public_holiday",
    "événement": "event",
}


class Hours(Strict):
    """Local hours of the day, from `start_h` to before `end_h`; 22 to 6 passes midnight."""

    start_h: int = Field(ge=0, le=23)
    end_h: int = Field(ge=0, le=24)

    @property
    def length(self) -> int:
        """How many hours it lasts."""
        return (self.end_h - self.start_h) % 24 or 24


class Contrast(Strict):
    """Two kinds of day whose mean counts are compared: `days` against `against`."""

    days: DayWord
    against: DayWord

    @property
    def kinds(self) -> tuple[DayKind, DayKind]:
        """The two kinds, as `calendar.day_kinds` has them."""
        return KINDS[self.days], KINDS[self.against]


class Actor(Strict):
    """A service that can act, and what it can do."""

    who: Title
    lever: Title


class Question(Strict):
    """A question of the portfolio (stage `portfolio`): a page of its own, and nothing to code.

    Facts of `theme`, all its categories or some of them, at all hours or only those that lie
    wholly within one of `hours`. `called` is what readers are told of `categories`, which are codes
    of the source. `division` is where it is answered, if not the theme's.
    `near` names a feature of places of `context.yaml`; `compare`, two kinds of day. `actors` are
    those who can act: a service other than the police comes first. `caveat` is said on the page.
    """

    title: Title = Field(pattern=r"\?$")
    theme: str
    categories: tuple[str, ...] = ()
    called: Words = ""
    hours: tuple[Hours, ...] = ()
    division: str | None = None
    near: str | None = None
    compare: Contrast | None = None
    actors: tuple[Actor, ...] = Field(min_length=1)
    caveat: Words = ""

    @model_validator(mode="after")
    def _sound(self) -> Question:
        if "police" in self.actors[0].who.lower():
            raise ValueError("le premier qui peut agir est un service autre que la police")
        if self.called and not self.categories:
            raise ValueError("called nomme des natures : il faut dire lesquelles (categories)")
        taken = [(one.start_h + i) % 24 for one in self.hours for i in range(one.length)]
        if len(set(taken)) < len(taken):
            raise ValueError("deux plages d'heures se recouvrent")
        if self.compare and self.compare.days == self.compare.against:
            raise ValueError("compare oppose une sorte de jour à elle-même")
        return self
