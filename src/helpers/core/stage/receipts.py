"""What the door noted of each file as it was received."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RECEIPTS = "receipts.json"


def read_receipts(raw: Path) -> dict[str, dict[str, Any]]:
    """Return source → receipt (file, size, sha256, rows, columns left out…) of a raw folder."""
    receipts: dict[str, dict[str, Any]] = json.loads((raw / RECEIPTS).read_text(encoding="utf-8"))
    return receipts
