"""The picture of the rooms, drawn from the import contracts and from what is really imported.

`python -m helpers.workshop.architecture` writes docs/architecture.svg; `--check` tells whether it
is up to date. Floors are the layers of `[tool.importlinter]`, arrows the imports of today between
rooms (those to `core`, which every room may use, are left out).
"""

from __future__ import annotations

import ast
import math
import sys
import tomllib
from html import escape
from pathlib import Path

from helpers.core.base import commands
from helpers.core.base.workspace import find_root

PICTURE = Path("docs/architecture.svg")
WIDTH, BOX, MARGIN = 1080, 40, 20
ABREAST, APART = 9, 8  # rooms of a floor side by side, legible; between rows of one floor
GAPS = {"helpers": 46, "core": 6}  # arrows need room
COLOURS = {"helpers": "#DBE9F4", "core": "#FDEBD3"}
TITLES = {
    "helpers": "Les pièces : chacune n'appelle que celles des étages du dessous",
    "core": "core, en grand : ce sur quoi toutes reposent",
}


def floors(root: Path) -> dict[str, list[list[str]]]:
    """Return `helpers` and `core`: the rooms of each floor, from the top down.

    `*` is every room that no floor names, in the order of the alphabet.
    """
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    layers = [c for c in settings["tool"]["importlinter"]["contracts"] if "layers" in c]
    found = {}
    for one in layers:
        rows = [[room.strip() for room in layer.split("|")] for layer in one["layers"]]
        named = {room for row in rows for room in row}
        folder = root / "src" / one["containers"][0].replace(".", "/")
        rooms = sorted(path.parent.name for path in folder.glob("*/__init__.py"))
        others = [room for room in rooms if room not in named]
        found[folder.name] = [others if row == ["*"] else row for row in rows]
    return found


def imports(root: Path, rooms: list[str]) -> set[tuple[str, str]]:
    """Return the pairs (who imports, from whom) of these rooms, `core` left out."""
    found = set()
    for room in rooms:
        for path in (root / "src/helpers" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers"):
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
                    found |= {(room, name.split(".")[1]) for name in names if "." in name}
    return {(a, b) for a, b in found if a != b and b in rooms and b != "core"}


def drawn(root: Path) -> str:
    """Return the picture as SVG."""
    parts: list[str] = []
    top = MARGIN
    for name, layers in floors(root).items():
        parts.append(_text(MARGIN, top + 14, TITLES[name], 15, "bold", "start"))
        boxes, bottom = _places(layers, top + 30, GAPS[name])
        rooms = [room for layer in layers for room in layer]
        for a, b in sorted(imports(root, rooms)) if name == "helpers" else []:
            parts.append(_arrow(boxes[a], boxes[b]))
        for room, place in boxes.items():
            parts += _box(room, place, COLOURS[name])
        top = bottom + 2 * MARGIN
    label = "Les pièces de l'atelier, étage par étage, et qui appelle qui"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" '
        f'aria-label="{escape(label)}" font-family="DejaVu Sans, Arial, sans-serif">\n'
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" '
        'markerHeight="6" orient="auto"><path d="M0 0 8 4 0 8z" fill="#52606d"/></marker></defs>\n'
        f'<rect width="{WIDTH}" height="{top}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _places(
    layers: list[list[str]], top: int, gap: int
) -> tuple[dict[str, tuple[float, float, float]], int]:
    """Return room → left, top, width of its box; and where the last floor ends."""
    found = {}
    for layer in layers:
        rows = math.ceil(len(layer) / ABREAST)
        abreast = math.ceil(len(layer) / rows)
        for at in range(0, len(layer), abreast):
            row = layer[at : at + abreast]
            width = min(180.0, (WIDTH - 2 * MARGIN - 6 * (abreast - 1)) / abreast)
            left = (WIDTH - width * len(row) - 6 * (len(row) - 1)) / 2
            for column, room in enumerate(row):
                found[room] = (left + column * (width + 6), float(top), width)
            top += BOX + APART
        top += gap - APART
    return found, top - gap


def _box(room: str, place: tuple[float, float, float], colour: str) -> list[str]:
    left, top, width = place
    size = min(14.0, 1.45 * width / len(room))
    return [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{BOX}" rx="6" '
        f'fill="{colour}" stroke="#7b8794"/>',
        _text(left + width / 2, top + BOX / 2 + size / 3, room, size, "bold", "middle"),
    ]


def _arrow(a: tuple[float, float, float], b: tuple[float, float, float]) -> str:
    x1, y1, x2, y2 = a[0] + a[2] / 2, a[1] + BOX, b[0] + b[2] / 2, b[1]
    return (
        f'<path d="M{x1:.1f} {y1:.1f} C{x1:.1f} {y1 + 26:.1f} {x2:.1f} {y2 - 26:.1f} {x2:.1f} '
        f'{y2:.1f}" fill="none" stroke="#9aa5b1" marker-end="url(#a)"/>'
    )


def _text(x: float, y: float, said: str, size: float, weight: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="#1f2933">{escape(said)}</text>'
    )


def main(arguments: list[str] | None = None) -> int:
    """Write the picture, or with --check say what to run; return the exit code."""
    asked = sys.argv[1:] if arguments is None else arguments
    root = find_root()
    text, path = drawn(root), root / PICTURE
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in asked:
        print(f"{PICTURE} n'est plus à jour : lancer `make deps`", file=sys.stderr)
        return 1
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
