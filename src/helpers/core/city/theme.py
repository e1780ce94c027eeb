"""`themes.yaml`: what a city counts, and the questions that it asks."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from helpers.core.base.yaml_models import Strict, Title, Words
from helpers.core.city.names import NO_THEME, WHOLE
from helpers.core.city.questions import Question

THEMES = "themes.yaml"
WORD = re.compile(r"[^\W\d_]{2,}")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Grade = Literal["A", "B", "C", "D"]
Axis = Literal["delinquance", "domaine_public", "circulation"]
AXES: dict[str, str] = {
    "delinquance": "Délinquance",
    "domaine_public": "Domaine public",
    "circulation": "Circulation",
}
# Names that mean something else where a theme is named: no theme, the city, an indicator's target.
RESERVED = {NO_THEME, WHOLE, *AXES, "all", "first", "second", "third"}

SHORT = ("source", "categories")  # how the one part of a theme is written
SEVERAL = (
    "`source` nomme une seule source ; un thème qui en compte plusieurs s'écrit "
    "`parts: {source: [catégories], autre_source: [catégories]}`"
)


class Reporting(Strict):
    """The share of a theme's facts that habitants tell, as a range, and where it comes from."""

    low: float = Field(gt=0, le=1)
    high: float = Field(gt=0, le=1)
    source: Words = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Reporting:
        if self.low > self.high:
            raise ValueError("la part signalée : low dépasse high")
        return self


class Theme(Strict):
    """A theme: what is counted, of which sources, under which of the three axes.

    `parts` gives source → its categories. Of one source it is written `source` and `categories`; of
    several, `distinct` says why no fact is in two of them, in words that are told with the counts:
    without it, they may be counted twice.
    `division` is where it is reported, if not in the city's main division. `wave` is when it comes
    into service, and `needs` the grade that each source must hold for that (`waves`). `sheet` is
    the reflex sheet (templates/fiches) that an alert on the theme opens. `reporting` is the range
    of the share of facts that habitants tell (`patrol`).
    """

    title: Title
    axis: Axis
    parts: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(min_length=1)
    distinct: Words = ""
    severity: int = Field(ge=1, le=5)
    division: str | None = None
    wave: int = Field(default=1, ge=1)
    needs: dict[str, Grade] = Field(default_factory=dict)
    sheet: str | None = None
    reporting: Reporting | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, value: Any) -> Any:
        """Read `source` and `categories` as the one part that they are."""
        if not isinstance(value, dict):
            return value
        told = {key: one for key, one in value.items() if key not in SHORT}
        if "parts" in value:
            if len(told) < len(value):
                raise ValueError("donner `source` et `categories`, ou bien `parts`")
            if isinstance(value["parts"], dict) and len(value["parts"]) == 1:
                raise ValueError("un thème d'une seule source s'écrit `source` et `categories`")
            return {**value, "parts": _listed(value["parts"])}
        missing = [f"`{key}`" for key in SHORT if key not in value]
        if missing:
            raise ValueError(f"clé manquante : {' et '.join(missing)} (ou bien `parts`)")
        if not isinstance(value["source"], str):
            raise ValueError(SEVERAL)
        categories = value["categories"]
        if not isinstance(categories, list) or not categories:
            raise ValueError("`categories` : au moins une, entre crochets")
        odd = [i for i, one in enumerate(categories) if not isinstance(one, str)]
        if odd:
            raise ValueError(
                f"`categories.{odd[0]}` n'est pas un texte : le mettre entre guillemets"
            )
        return {**told, "parts": _listed({value["source"]: categories})}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema of the two ways to write a theme."""
        found = handler.resolve_ref_schema(handler(core_schema))
        listed = found["properties"]["parts"]["additionalProperties"]
        found["properties"] |= {"source": {"type": "string"}, "categories": listed}
        found["properties"]["parts"]["minProperties"] = 2
        found["required"] = [key for key in found["required"] if key != "parts"]
        found["oneOf"] = [{"required": list(SHORT)}, {"required": ["parts"]}]
        return found

    @model_validator(mode="after")
    def _distinct_from_another(self) -> Theme:
        if self.distinct and len(self.parts) == 1:
            raise ValueError("`distinct` va avec plusieurs sources (`parts`)")
        if self.distinct and len(WORD.findall(self.distinct)) < 2:
            raise ValueError(
                "`distinct` dit en mots pourquoi aucun fait n'est dans deux des sources (« deux "
                "guichets, aucun renvoi de l'un à l'autre »)"
            )
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that the theme counts, in the file's order."""
        return tuple(self.parts)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that the theme counts, of all its sources; each once."""
        return tuple(dict.fromkeys(one for told in self.parts.values() for one in told))

    @property
    def may_double(self) -> bool:
        """Whether a fact may be counted twice: two sources, and nothing says they are distinct."""
        return len(self.parts) > 1 and not self.distinct


def _listed(parts: Any) -> Any:
    """Return the lists of `parts` as the tuples that they are: read strictly, a list is none."""
    if not isinstance(parts, dict):
        return parts
    return {key: tuple(one) if isinstance(one, list) else one for key, one in parts.items()}


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
            for source, categories in theme.parts.items():
                for category in categories:
                    other = seen.setdefault((source, category), name)
                    if other != name:
                        raise ValueError(f"« {category} » est dans deux thèmes : {other} et {name}")
        return self
