"""The one place where text becomes HTML, or what a PDF is set from: apps, reports, briefings.

What the project writes is Markdown. What a city writes (titles, names of zones, attributions) and
what its deliveries hold (titles of events, codes, columns) is foreign: text to be read, never
markup. It goes into Markdown through `plain`, so that it reads as it was written in every renderer
(here, JupyterLab, nbconvert); and Markdown goes into HTML through `to_html`, by which no raw HTML,
no image and no address other than a web page comes through, whatever was forgotten before.
Results and figures keep the text as it is: only what is displayed is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import mistune
from mistune.plugins.formatting import strikethrough
from mistune.plugins.table import table
from mistune.util import safe_entity

# References and not backslashes: CommonMark never reads one as markup, wherever it stands.
_ACTIVE = re.compile(
    r"[&<>\\`*_{}\[\]|~$@^]"
    r"|:(?=//)|(?<=(?i:www))\."  # addresses that some renderers make links of
    r"|^[#+\-=:]"  # titles, lists, rules, definitions
)
_NUMBERED = re.compile(r"^([0-9]{1,9})([.)])")
_SEPARATORS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_WORD = re.compile(r"[\w./:-]+( [\w./:-]+)*")


def plain(text: object) -> str:
    """Return a foreign text as Markdown that reads just so, on one line, and does nothing.

    Not for code spans, where references would be read as they are: see `verbatim`.
    """
    line = _SEPARATORS.sub(" ", str(text)).strip()
    line = _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", line)
    return _NUMBERED.sub(lambda found: f"{found[1]}&#{ord(found[2])};", line)


def verbatim(text: object) -> str:
    """Return a foreign name as a Markdown code span; as `plain` text where it holds markup."""
    name = str(text)
    return f"`{name}`" if _WORD.fullmatch(name) else plain(name)


class _Renderer(mistune.HTMLRenderer):
    """HTML of our Markdown: raw HTML shown as text, images by their words, links to pages alone."""

    SAFE_PROTOCOLS = ("http:", "https:", "mailto:")
    GOOD_DATA_PROTOCOLS = ()

    def text(self, text: str) -> str:
        """Return the text; its references are read, as CommonMark has it (mistune escapes them)."""
        return safe_entity(text)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return the image's words: a page asks nothing of any machine."""
        return text


_RENDERER = _Renderer(escape=True)
_PARSER = mistune.Markdown(_RENDERER, plugins=[strikethrough, table])
_TREE = mistune.Markdown(None)


def to_html(markdown: str) -> str:
    """Return the HTML of a Markdown text."""
    return str(_PARSER(markdown))


def inline(markdown: str) -> str:
    """Return the HTML of a Markdown line, without the paragraph around it."""
    return _RENDERER.render_tokens(_PARSER.inline(markdown, {}), mistune.BlockState())


def blocks(markdown: str) -> list[dict[str, Any]]:
    """Return a Markdown text as paragraphs and lists, for what is neither HTML nor Markdown.

    Each has `list`, whether it is one, and `items` (of a paragraph, one): runs of `text`, as it is
    read, `strong` or not. What is neither paragraph nor list is a paragraph of its text.
    """
    found, _ = _TREE.parse(markdown)
    told: list[dict[str, Any]] = []
    for one in found if isinstance(found, list) else []:
        if one["type"] == "list":
            items = [list(_runs(item)) for item in one["children"]]
            told.append({"list": True, "items": items})
        elif one["type"] != "blank_line":
            told.append({"list": False, "items": [list(_runs(one))]})
    return told


def _runs(node: dict[str, Any], strong: bool = False) -> Iterator[dict[str, Any]]:
    strong = strong or node["type"] == "strong"
    if node["type"] in ("softbreak", "linebreak"):
        yield {"text": " ", "strong": strong}
    elif "children" in node:
        for one in node["children"]:
            yield from _runs(one, strong)
    else:
        text = node.get("raw", "")
        text = text if node["type"] == "codespan" else html.unescape(text)
        yield {"text": text, "strong": strong}
