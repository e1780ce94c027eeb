"""Widgets as plain HTML: what a reader sees before the page's scripts and process are there.

Same tree, same classes, same words; charts are SVG, controls show their value and cannot be moved
yet. A widget of another kind leaves its place empty.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets as widgets
from ipywidgets.widgets import widget as registry

log = logging.getLogger("phare.page")
PICTURE_BYTES = 2_000_000  # above, a chart waits for the browser


def of_all() -> dict[str, str]:
    """Return model id → HTML, of each widget that stands in no other."""
    known = dict(registry._instances)
    inside = {
        child.model_id
        for one in known.values()
        for child in getattr(one, "children", ())
        if isinstance(child, widgets.Widget)
    }
    shown = {n: w for n, w in known.items() if isinstance(w, widgets.DOMWidget) and n not in inside}
    return {name: html(one) for name, one in shown.items()}


def html(widget: Any) -> str:
    """Return a widget, and all it holds, as HTML."""
    classes = " ".join([*_kind(widget), *widget._dom_classes])
    return f'<div class="{escape(classes)}"{_style(widget)}>{_inside(widget)}</div>'


def _kind(widget: Any) -> tuple[str, ...]:
    box = ("lm-Widget", "jupyter-widgets", "widget-container", "widget-box")
    line = ("lm-Widget", "jupyter-widgets", "widget-inline-hbox")
    match widget:
        case widgets.VBox():
            return (*box, "widget-vbox")
        case widgets.HBox():
            return (*box, "widget-hbox")
        case widgets.Box():
            return box
        case widgets.HTML() | widgets.HTMLMath():
            return (*line, "widget-html")
        case widgets.Dropdown():
            return (*line, "widget-dropdown")
        case widgets.ToggleButtons():
            return (*line, "widget-toggle-buttons")
        case widgets.Button():
            return ("lm-Widget", "jupyter-widgets", "jupyter-button", "widget-button")
        case _:
            return ("lm-Widget", "jupyter-widgets")


def _style(widget: Any) -> str:
    layout = widget.layout
    told = {
        name: getattr(layout, name)
        for name in ("width", "height", "display", "flex", "margin", "visibility")
        if getattr(layout, name, None)
    }
    text = ";".join(f"{name}:{value}" for name, value in told.items())
    return f' style="{escape(text)}"' if text else ""


def _inside(widget: Any) -> str:
    if isinstance(getattr(widget, "spec", None), Mapping):
        return _chart(widget.spec)
    match widget:
        case widgets.Box():
            return "".join(html(child) for child in widget.children)
        case widgets.HTML() | widgets.HTMLMath():
            return f'<div class="widget-html-content">{widget.value}</div>'
        case widgets.Label():
            return escape(str(widget.value))
        case widgets.Dropdown():
            chosen = _option(widget, widget.index)
            field = f"<select disabled><option>{chosen}</option></select>"
            return _label(widget) + field
        case widgets.ToggleButtons():
            names = range(len(widget._options_labels))
            return _label(widget) + "".join(
                f'<button disabled class="lm-Widget jupyter-widgets jupyter-button '
                f'widget-toggle-button{" mod-active" if i == widget.index else ""}">'
                f"{_option(widget, i)}</button>"
                for i in names
            )
        case widgets.Button():
            return escape(str(widget.description))
        case _:
            return ""


def _label(widget: Any) -> str:
    text = escape(str(widget.description))
    return f'<span class="widget-label">{text}</span>' if text else ""


def _option(widget: Any, index: int | None) -> str:
    return "" if index is None else escape(str(widget._options_labels[index]))


def _chart(spec: Mapping[str, Any]) -> str:
    """Return a chart as the SVG of the same specification; nothing where it cannot be drawn."""
    import vl_convert

    try:
        drawn = vl_convert.vegalite_to_svg(dict(spec), allowed_base_urls=[])
    except ValueError:
        log.exception("A chart could not be drawn beforehand")
        return ""
    if len(drawn) > PICTURE_BYTES:
        return ""
    # Two charts of one page share no id.
    mark = f"prepared-{hashlib.sha256(drawn.encode()).hexdigest()[:8]}-"
    drawn = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{mark}", drawn)
    return f'<div class="phare-picture" role="img">{drawn}</div>'
