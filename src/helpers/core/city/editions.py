"""What a source's files are: wide ones made long, and what they cover, of the city and of time.

What a source does not cover is missing: it is nobody's zero. `coverage` reads it day by day.
"""

from __future__ import annotations

import datetime as dt
import re

from pydantic import ConfigDict, Field, field_validator, model_validator

from helpers.core.base.yaml_models import Strict


class Unpivot(Strict):
    """A wide file, a column a period or a category, read as a row a cell.

    `columns` says which: a format of moments (`%Y%m`), a regular expression, or a list of names.
    The field `name` receives the column's name, the field `value` the cell; both are then checked
    like any other. A column that `columns` does not admit is refused, as one that no field names.
    """

    columns: str | tuple[str, ...]
    name: str
    value: str

    @model_validator(mode="after")
    def _parted(self) -> Unpivot:
        if not self.columns:
            raise ValueError("`unpivot.columns` dit quelles colonnes : un format, une expression")
        if self.name == self.value:
            raise ValueError("`unpivot` donne deux champs : celui du nom, celui de la valeur")
        return self

    @field_validator("columns")
    @classmethod
    def _compiles(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, str):
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"expression régulière illisible ({error})") from error
        return value

    @property
    def pattern(self) -> str:
        """The regular expression of the columns, where that is how they are told."""
        return self.columns if isinstance(self.columns, str) and "%" not in self.columns else ""


class Cover(Strict):
    """From when, until when (inclusive) the source tells of what is named, or of everything.

    `categories`, or `zones` of `division`; without either, the source itself. What is named in
    several entries is covered in each of their spans.
    """

    model_config = ConfigDict(populate_by_name=True)

    start: dt.date | None = Field(default=None, alias="from")
    until: dt.date | None = None
    categories: tuple[str, ...] = ()
    division: str = ""
    zones: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _sensible(self) -> Cover:
        if self.start is None and self.until is None:
            raise ValueError("`covers` dit depuis quand (`from`) ou jusqu'à quand (`until`)")
        if self.start and self.until and self.until < self.start:
            raise ValueError("`covers` : `until` précède `from`")
        if bool(self.zones) != bool(self.division):
            raise ValueError("`covers` : `zones` va avec sa `division`")
        return self

    def holds(self, day: dt.date) -> bool:
        """Tell whether the day lies in the span."""
        return (self.start is None or day >= self.start) and (
            self.until is None or day <= self.until
        )
