"""What every stage rests on."""

import sys

# jsonschema, which papermill and Altair load, tries this optional parser of international web
# addresses; loading it takes a second in each of a stage's two processes, and nothing here has
# such an address to check. Absent, jsonschema goes without (see docs/decisions/0006).
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
