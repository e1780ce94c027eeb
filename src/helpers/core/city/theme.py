"""`themes.yaml`: what a city counts, and the questions that it asks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from helpers.core.base.yaml_models import Strict
from helpers.core.city.names import NO_THEME, WHOLE
from helpers.core.city.questions import Question

THEMES = "themes.yaml"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Grade = Literal["A", "B", "C", "D"]
Axis = Literal["delinquance", "domaine_public", "circulation"]
AXES: dict[str, str] = {
    "delinquance": "Délinquance",
    "domaine_public": "Domaine public",
    "circulation": "Circulation",
}
# Names that mean something else where a theme is named: no theme, the city, an indicator's target.
RESERVED = {NO_THEME, WHOLE, *AXES, "all", "first", "second", "third"}


class Reporting(Strict):
    """The share of a theme's facts that habitants tell, as a range, and where it comes from."""

    low: float = Field(gt=0, le=1)
    high: float = Field(gt=0, le=1)
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> Reporting:
        if self.low > self.high:
            raise ValueError("la part signalée : low dépasse high")
        return self


class Theme(Strict):
    """A theme: what is counted, of which source, under which of the three axes.

    `division` is where it is reported, if not in the city's main division. `wave` is when it comes
    into service, and `needs` the grade that each source must hold for that (`waves`). `sheet` is
    the reflex sheet (templates/fiches) that an alert on the theme opens. `reporting` is the range
    of the share of facts that habitants tell (`patrol`).
    """

    title: str
    axis: Axis
    source: str
    categories: tuple[str, ...] = Field(min_length=1)
    severity: int = Field(ge=1, le=5)
    division: str | None = None
    wave: int = Field(default=1, ge=1)
    needs: dict[str, Grade] = Field(default_factory=dict)
    sheet: str | None = None
    reporting: Reporting | None = None

    @field_validator("source", mode="before")
    @classmethod
    def _one_source(cls, value: Any) -> Any:
        if isinstance(value, list | tuple | dict):
            # Each source is silent, late and recorded anew in its own way: their sum is not.
            raise ValueError(
                "un thème compte une seule source : en écrire un par source, ou une source en "
                "plusieurs `editions` si c'est le même relevé"
            )
        return value


class Themes(Strict):
    """`themes.yaml`, as written: what is counted, and the questions asked of it."""

    themes: dict[Name, Theme]
    questions: dict[Name, Question] = Field(default_factory=dict)

    @field_validator("themes")
    @classmethod
    def _not_reserved(cls, value: dict[str, Theme]) -> dict[str, Theme]:
        taken = sorted(RESERVED & value.keys())
        if taken:
            raise ValueError(f"nom de thème réservé, {', '.join(f'« {one} »' for one in taken)}")
        return value

    @model_validator(mode="after")
    def _disjoint(self) -> Themes:
        seen: dict[tuple[str, str], str] = {}
        for name, theme in self.themes.items():
            for category in theme.categories:
                other = seen.setdefault((theme.source, category), name)
                if other != name:
                    raise ValueError(f"« {category} » est dans deux thèmes : {other} et {name}")
        return self
