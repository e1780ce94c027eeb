"""Pieces that every app is made of: header, chart with its evidence, words."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import altair as alt
import ipywidgets as widgets
from traitlets.log import get_logger

from helpers.core.base import markup, redact, store
from helpers.core.stage.run import Run, digest

alt.JupyterChart.enable_offline(True)

STALE = "app-stale"
SCROLLS = '<div class="app-scroll" tabindex="0" role="group" aria-label="Tableau">'
Put = tuple[widgets.DOMWidget, str, Any]  # a widget, its trait, what it is to hold
FAILED = (
    "<strong>Ce choix n'a pas pu être affiché.</strong> Ce qui est grisé répond à un choix "
    "précédent, pas à celui-ci. Choisissez autre chose ou rechargez la page ; si cela se "
    "reproduit, prévenez l'équipe d'analyse."
)


class Boundary:
    """Where the controls of a part of the page call its code: a failure there is said, not shown.

    `notice` is to stand beside the controls; `parts` are greyed while they answer a former choice.
    """

    def __init__(self, *parts: widgets.DOMWidget) -> None:
        self.parts = parts
        self.notice = widgets.HTML()
        self.notice.add_class("app-notice")
        self._running = False

    def observe(self, control: widgets.DOMWidget, act: Callable[[], None]) -> None:
        """Call `act` through `run` each time the control takes another value."""
        control.observe(lambda _: self.run(act), names="value")

    def run(self, act: Callable[[], None]) -> None:
        """Call `act`; where it raises, say what to do, grey the parts, tell the server's log.

        A control that `act` itself moves calls nothing: `act` answers for it.
        """
        if self._running:
            return
        self._running = True
        try:
            act()
        except Exception as error:
            # In a kernel this is its application's log, which the server's terminal shows; what
            # goes to `sys.stderr` would be sent to the page.
            get_logger().error("A control's callback failed\n%s", redact.trace(error))
            for part in self.parts:
                part.add_class(STALE)
            self.notice.value = f'<p class="app-failed" role="alert">{FAILED}</p>'
        else:
            for part in self.parts:
                part.remove_class(STALE)
            self.notice.value = ""
        finally:
            self._running = False


class Panel:
    """A chart with a title above and its evidence below."""

    def __init__(self, area: str) -> None:
        self._title = widgets.HTML()
        empty = alt.Chart(alt.InlineData(values=[])).mark_point()
        # `ast`: expressions are interpreted; compiling them would need a policy that lets code run.
        self._chart = alt.JupyterChart(empty, embed_options={"actions": False, "ast": True})
        self._evidence = widgets.HTML()
        self.widget = widgets.VBox([self._title, self._chart, self._evidence])
        self.widget.add_class("app-panel")
        self.widget.add_class(f"app-{area}")

    def put(self, title: str, line: str, spec: dict[str, Any], evidence: str) -> list[Put]:
        """Return what draws `spec` under `title` and `line`; `evidence` is the HTML below it."""
        return [
            (self._title, "value", f"<h2>{escape(title)} <small>{escape(line)}</small></h2>"),
            (self._chart, "spec", spec | {"description": f"{title} {line}"}),
            (self._evidence, "value", evidence),
        ]


class Proofs:
    """The evidence of the charts of a page: what the pipeline published, and what is shown now.

    `published`: area → the evidence that the pipeline published of its figure.
    `tables`: the files of the city that the page's charts are drawn from.
    """

    def __init__(self, run: Run, tables: tuple[str, ...], published: dict[str, str]) -> None:
        self.published = {
            area: json.loads(run.read(f"figures/{path}.evidence.json").read_text(encoding="utf-8"))
            for area, path in published.items()
        }
        self._written = {
            area: {key: _indented(value) for key, value in found.items()}
            for area, found in self.published.items()
        }
        files = [run.workspace.data / name for name in tables]
        self._inputs = {run.workspace.relative(path): store.sha256(path) for path in files}

    def of(self, area: str, choice: dict[str, Any], drawn: Any) -> str:
        """Return the HTML under a figure: its passport, which is its evidence to be saved.

        `drawn`: what is shown for the choice (JSON, or SVG).
        """
        shown = {"choice": choice, "inputs_now": self._inputs, "spec_sha256_now": digest(drawn)}
        # As `json.dumps(indent=1, sort_keys=True)` would write it whole, the long parts once.
        written = self._written[area] | {"app": _indented(shown)}
        lines = ",\n ".join(f"{json.dumps(key)}: {written[key]}" for key in sorted(written))
        link = base64.b64encode(f"{{\n {lines}\n}}".encode()).decode()
        evidence = self.published[area]
        name = evidence["figure"]
        return (
            f'<p class="app-evidence">Preuve <a download="{name}.evidence.json" '
            f'href="data:application/json;base64,{link}">{escape(evidence["passport"])}</a> '
            "<span>· refaire : </span>"
            f"<code>make figure NAME={name} CITY={evidence['city']}</code></p>"
        )


def _indented(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return text.replace("\n", "\n ")


def folded(title: str, markdown: str, *, open_now: bool = False) -> str:
    """Return the HTML of a part that opens under its title; the text is the project's Markdown.

    Its tables scroll sideways where they must.
    """
    state = " open" if open_now else ""
    text = markup.to_html(markdown).replace("<table>", f"{SCROLLS}<table>").replace(
        "</table>", "</table></div>"
    )  # fmt: skip
    return f'<details class="app-folded"{state}><summary>{escape(title)}</summary>{text}</details>'


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table as HTML, from text as it is written; it scrolls sideways where it must."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in lines
    )
    return f"{SCROLLS}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def taken(file: str, kind: str, content: bytes, text: str) -> str:
    """Return the link to a file that is whole in it."""
    link = base64.b64encode(content).decode()
    return f'<a download="{escape(file, quote=True)}" href="data:{kind};base64,{link}">{text}</a>'


def aside(text: str) -> str:
    """Return the HTML of a remark below the page; stars mark what is strong."""
    return f'<p class="app-aside">{markup.inline(text)}</p>'


def words(text: str, level: str, small: str = "") -> str:
    """Return the HTML of an answer in words; stars mark what is strong, `level` its colour.

    `small`: what is to be known with it.
    """
    more = f" <small>{markup.inline(small)}</small>" if small else ""
    said = f"{markup.inline(text)}{more}"
    return f'<p class="app-words app-{level}" aria-live="polite">{said}</p>'
