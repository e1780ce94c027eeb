"""Foreign texts are text, whatever they hold: the one place where text becomes HTML.

Judged by parsers that are not ours: html5lib, as browsers parse, and nbconvert's Markdown.
"""

from __future__ import annotations

import re
import string
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import nbformat
import pytest
from bleach._vendor import html5lib
from hypothesis import example, given
from hypothesis import strategies as st
from nbconvert.filters import markdown2html_mistune

from helpers.apps.parts import aside, folded, words
from helpers.core.base.markup import inline, plain, to_html, verbatim
from helpers.core.stage.execute import page_of
from tests.fixtures.browser import ROOT

ATTRIBUTES = {
    "a": {"href", "title"}, "ol": {"start"}, "code": {"class"}, "td": {"style"}, "th": {"style"},
    **{name: set() for name in (
        "h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "li", "blockquote", "pre", "hr", "br",
        "em", "strong", "del", "table", "thead", "tbody", "tr",
    )},
}  # fmt: skip
BAITS = [
    "<script>window.__ran=1</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
    "</summary></details><iframe src='javascript:alert(1)'></iframe>", "[x](javascript:alert(1))",
    "[x](java\tscript:alert(1))", "![x](http://piege.invalid/x.png)", "<javascript:alert(1)>",
    "[x][y]\n\n[y]: javascript:alert(1)", '" onmouseover="alert(1)', "&lt;script&gt;",
    "&#60;b&#62;",
    "a\u2028# b", "a\n\n# b", "1. a", "12) a", "- a", "+ a", "=== a", "--- ", "> a", "*a*", "__a__",
    "`a`", "~~a~~", "a | b", "$a$", "$$a$$", "\\(a\\)", "\\\\(a\\\\)", "\\begin{a}b\\end{a}", "\\",
    "https://piege.invalid", "www.piege.invalid", "moi@piege.invalid", "<!-- a -->",
    "<![CDATA[a]]>",
    "```a", "    a", ": a", "[ ] a", "[^1]", "#", "{{ 7*7 }}", "<a\nhref=javascript:alert(1)>x</a>",
]  # fmt: skip
FOREIGN = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(
        st.one_of(st.sampled_from(BAITS), st.sampled_from([*string.punctuation, " ", "\n", "a"])),
        max_size=8,
    ).map("".join),
)
MUTE = "zzz"  # a word of no place, where a text goes
PLACES = [
    "{}", "- **{}** : dit.", "### {}\n\nTexte.", "| a | b |\n|---|---|\n| {} | c |",
    "Avant {} après.", "1. **{}** : levier.", "« {} » dit.",
]  # fmt: skip


def parsed(html: str) -> Element:
    """Return the tree that a browser would make of a fragment."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    fragment: Element = parser.parseFragment(html)
    return fragment


def shape(html: str) -> list[str]:
    return [str(element.tag) for element in parsed(html).iter()]


def text_of(html: str) -> str:
    return "".join(parsed(html).itertext())


def as_read(text: str) -> str:
    """Return a text as it should read: on one line, without control characters."""
    return re.sub("[\x00-\x20\x7f-\x9f\u2028\u2029]+", " ", text).strip()


@given(FOREIGN)
@example("\n\n".join(BAITS))
def test_no_markdown_makes_anything_but_prose(text: str) -> None:
    for html in (to_html(text), inline(text)):
        for element in parsed(html).iter():
            if element.tag == "DOCUMENT_FRAGMENT":
                continue
            assert set(element.attrib) <= ATTRIBUTES[str(element.tag)], html
            address = urlsplit(element.attrib.get("href", ""))
            assert address.scheme in ("", "http", "https", "mailto"), html


@given(FOREIGN, st.sampled_from(PLACES))
@example("\u2028".join(BAITS), PLACES[1])
def test_a_foreign_text_reads_as_written_and_changes_nothing(text: str, place: str) -> None:
    if not as_read(text):
        return
    markdown, mute = place.format(plain(text)), place.format(MUTE)
    for render in (to_html, markdown2html_mistune):
        html, plainly = render(markdown), render(mute)
        assert shape(html) == shape(plainly), (markdown, html)
        assert text_of(html).split() == text_of(plainly).replace(MUTE, as_read(text)).split()


@pytest.mark.parametrize("bait", BAITS)
def test_each_known_trick_is_read_and_not_done(bait: str) -> None:
    for place in PLACES:
        html = to_html(place.format(plain(bait)))
        assert shape(html) == shape(to_html(place.format("x")))
        assert " ".join(as_read(bait).split()) in " ".join(text_of(html).split())
    assert shape(folded(bait, plain(bait))) == shape(folded("x", "x"))
    assert shape(aside(f"**{plain(bait)}** : dit.")) == shape(aside("**x** : dit."))
    assert shape(words(plain(bait), "above")) == shape(words("x", "above"))


@pytest.mark.parametrize(
    "text",
    [
        "L'été à l'Estaque",
        "Rock & Co",
        "moins de < 5 h",
        "« Fête »",
        "A&amp;B",
        "Nº 1 – Noël",
        "5 * 3",
    ],
)
def test_a_legitimate_text_reads_right(text: str) -> None:
    assert text_of(to_html(plain(text))).strip() == text
    assert text_of(markdown2html_mistune(plain(text))).replace("¶", "").strip() == text
    assert "&amp;amp;amp;" not in to_html(plain(text))
    if not set(text) & set("&<*"):
        assert plain(text) == text, "what holds no markup is left as it is"


def test_a_name_is_code_unless_it_holds_markup() -> None:
    assert verbatim("extended_attributes.contact") == "`extended_attributes.contact`"
    assert shape(to_html(verbatim("a` <img src=x> `b"))) == shape(to_html("x"))
    assert text_of(to_html(verbatim("a` <b> `c"))).strip() == "a` <b> `c"


def test_a_report_lets_no_markup_through() -> None:
    bait = "".join(BAITS)
    output = nbformat.v4.new_output
    notebook = nbformat.v4.new_notebook(metadata={"title": bait, "city": bait})
    notebook.cells = [
        nbformat.v4.new_markdown_cell(f"# Titre\n\n{bait}", id="a"),
        nbformat.v4.new_code_cell(
            f"print({bait!r})",
            id="b",
            outputs=[
                output("display_data", data={"text/markdown": f"**{bait}**"}),
                output("display_data", data={"text/html": f"<table><td style='x'>{bait}</table>"}),
                output("display_data", data={"text/plain": bait}),
                output("stream", name="stdout", text=bait),
            ],
        ),
    ]
    page = html5lib.HTMLParser(namespaceHTMLElements=False).parse(page_of(notebook, ROOT))
    main = page.find(".//main")
    for element in main.iter():
        tag = str(element.tag)
        assert tag not in ("script", "iframe", "img", "svg", "style", "object", "embed"), tag
        assert not [name for name in element.attrib if name.startswith("on")], element.attrib
        address = urlsplit(element.attrib.get("href", ""))
        assert address.scheme in ("", "http", "https", "mailto"), element.attrib
    assert "<script>window.__ran=1</script>" in "".join(main.itertext())
