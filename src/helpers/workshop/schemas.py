"""The JSON Schemas of what people write in YAML, published in docs/schemas/.

`python -m helpers.workshop.schemas` writes them from the models; `--check` only says whether they
agree.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.workspace import find_root
from helpers.core.base.yaml_models import Strict
from helpers.core.city.about import CityFile
from helpers.core.city.action_rules import ActionRules
from helpers.core.city.contract import Contract
from helpers.core.city.event_rules import EventRules
from helpers.core.city.shock_rules import ShockRules
from helpers.core.city.staff_rules import StaffRules
from helpers.core.city.surroundings import Surroundings
from helpers.core.city.survey import SurveyRule
from helpers.core.city.theme import Themes
from helpers.core.city.traffic_rules import TrafficRules
from helpers.core.stage import params
from helpers.register.settings import RegisterFile

FOLDER = Path("docs/schemas")
MODELS: dict[str, type[Strict]] = {
    "contrat": Contract,
    "ville": CityFile,
    "themes": Themes,
    "contexte": Surroundings,
    "sentiment": SurveyRule,
    "register": RegisterFile,
    "evenements": EventRules,
    "actions": ActionRules,
    "circulation": TrafficRules,
    "effectifs": StaffRules,
    "faits_graves": ShockRules,
}


def schema(model: type[Strict]) -> str:
    """Return the JSON Schema of `model` (draft 2020-12), as it is published."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(made, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the schemas, or with --check say what to run; return the exit code."""
    asked = sys.argv[1:] if arguments is None else arguments
    root = find_root()
    folder = root / FOLDER
    late = [
        (path, text)
        for name, model in {**MODELS, "parametres": params.whole(root)}.items()
        for path, text in [(folder / f"{name}.schema.json", schema(model))]
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if late and "--check" in asked:
        names = ", ".join(path.name for path, _ in late)
        print(f"schémas en retard sur les modèles : {names} ; lancer `make deps`", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in late:
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
