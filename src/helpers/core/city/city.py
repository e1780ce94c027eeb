"""City packs: a folder that tells all that is particular to a city."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from helpers.core.base.errors import PhareError, together
from helpers.core.base.workspace import Workspace
from helpers.core.base.yaml_models import parse
from helpers.core.city import checks, lists
from helpers.core.city.about import CityFile
from helpers.core.city.contract import Contract, load_contract
from helpers.core.city.key import PUBLIC, Key, public, read
from helpers.core.city.questions import Question
from helpers.core.city.theme import THEMES, Theme, Themes


class City:
    """A loaded pack: `about` (city.yaml), its contracts and its themes."""

    def __init__(self, pack: Path) -> None:
        self.pack = pack
        self.about: CityFile = parse(CityFile, pack / "city.yaml", f"{pack.name}/city.yaml")
        checks.check_names(self.about, f"{pack.name}/city.yaml")

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        """Return the contract of each source of the pack, in the order of city.yaml.

        PhareError, with every fault, where one is wrong or does not hold what city.yaml names.
        """
        found: dict[str, Contract] = {}
        errors: list[PhareError] = []
        for name in self.about.sources:
            try:
                found[name] = load_contract(self.pack / "contracts" / f"{name}.yaml")
                here = f"{self.pack.name}/contracts/{name}.yaml"
                checks.check_contract(found[name], name, self.about, here)
            except PhareError as error:
                errors.append(error)
        together(errors)
        checks.check_fields(self.about, found, f"{self.pack.name}/city.yaml")
        return found

    @cached_property
    def _themes(self) -> Themes:
        found: Themes = parse(Themes, self.pack / THEMES, f"{self.pack.name}/{THEMES}")
        return found

    @cached_property
    def themes(self) -> dict[str, Theme]:
        """Return the themes of the pack, in the file's order."""
        here = f"{self.pack.name}/{THEMES}"
        checks.check_themes(self.about, self.contracts, self._themes.themes, here)
        checks.check_milestones(self.about, self._themes.themes, f"{self.pack.name}/city.yaml")
        return self._themes.themes

    @cached_property
    def questions(self) -> dict[str, Question]:
        """Return the questions of the pack's portfolio, in the file's order; often none."""
        here = f"{self.pack.name}/{THEMES}"
        checks.check_questions(self.about, self.themes, self._themes.questions, here)
        return self._themes.questions

    @property
    def has_public_key(self) -> bool:
        """Whether the city has nothing to hide: its key follows from its name."""
        return self.about.simulated or self.about.key == PUBLIC

    def key(self, root: Path) -> Key:
        """Return the key by which the door hashes identifiers, of the workspace at `root`."""
        if self.has_public_key:
            return public(self.about.name)
        return read(root, self.about.name)

    def zone_names(self, division: str) -> dict[str, str]:
        """Return code → name of the zones that the pack names; of others, the code is all."""
        told = self.about.divisions[division]
        return lists.read(self.pack, told.names) if told.names else told.zones

    def themed_sources(self) -> list[str]:
        """Return the sources that the themes count."""
        return sorted({name for theme in self.themes.values() for name in theme.sources})

    def observed_sources(self) -> list[str]:
        """Return the sources that bring observations."""
        return [n for n, c in self.contracts.items() if c.kind == "observations"]


def load_city(workspace: Workspace) -> City:
    """Load the pack of the workspace's city."""
    return City(workspace.pack)
