"""Tasks of the reader's browser: click a button, copy a text, show an interactive drawing.

The scripts are in ``scripts``; each is a component of Streamlit, and explains in its first lines why it exists.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from lstm_explorer.export.interactive import keyboard_script

_SCRIPTS = Path(__file__).with_name("scripts")
#: Scripts that act once for each call, however often Streamlit runs them.
_ACTS_ONCE = ("click", "copy")
_numbers = itertools.count(1)


def click(selector: str, *, key: str) -> None:
    """Click an element as soon as it is there; where scripts are forbidden, the reader has to."""
    _run("click", {"selector": selector}, key)


def copy(text: str, *, key: str) -> None:
    """Put a text on the clipboard."""
    _run("copy", {"text": text}, key)


def draw(drawings: Mapping[int, str], *, key: str, slider: str = "") -> None:
    """Draw an SVG that can be pointed at and reached with the keyboard; a new one keeps the focus where it was.

    Args:
        drawings: Step to SVG. The first is drawn.
        key: Of the element.
        slider: Selector of a range input that moves the drawing through the steps that are given.
    """
    data = {
        "drawings": {str(step): svg for step, svg in drawings.items()},
        "at": str(next(iter(drawings))),
        "slider": slider,
    }
    _component("draw")(data=data, key=key)


def play(selector: str, *, on: bool, milliseconds: int = 900) -> None:
    """Press a button again and again, until it is disabled or gone."""
    data = {"selector": selector, "on": on, "milliseconds": milliseconds}
    _component("play")(data=data, key="play")


def reach_by_keyboard() -> None:
    """Let the keyboard press the buttons inside charts and move their sliders."""
    _component("keys")(data={}, key="keys")


def close_menu() -> None:
    """Close the menu of pages after a choice, on a phone, where it lies over the page."""
    _component("menu")(data={}, key="menu")


def move_cursor(step: int) -> None:
    """Move the vertical line of every chart that has one, a shape named ``cursor``, to a step."""
    _component("cursor")(data={"step": step}, key="cursor")


def pick(selector: str, take: Callable[[float, float], None], *, key: str) -> None:
    """Hand a click on a point of a chart to Python: ``take(x, y)`` is called as a widget's callback is."""

    def picked() -> None:
        point = st.session_state[key].picked
        if point:
            take(point["x"], point["y"])

    _component("pick")(data={"selector": selector}, key=key, on_picked_change=picked)


def slide(selector: str, take: Callable[[str], None], *, key: str) -> None:
    """Hand the place where the slider inside a chart was let go to Python: ``take(label)``, as a widget's callback."""

    def slid() -> None:
        if label := st.session_state[key].slid:
            take(label)

    _component("slide")(data={"selector": selector}, key=key, on_slid_change=slid)


def _run(name: str, data: dict[str, str], key: str) -> None:
    _component(name)(data={**data, "number": next(_numbers)}, key=key)


@functools.cache
def _component(name: str) -> Any:
    """Register a component, once per process: anew at every run it would cost 30 ms, and be mounted anew."""
    return st.components.v2.component(f"lstm_explorer.{name}", js=script(name), isolate_styles=False)


def script(name: str) -> str:
    """Return a script as the browser gets it.

    Args:
        name: Of a file in ``scripts``, without ``.js``.
    """
    files = ("once", name) if name in _ACTS_ONCE else (name,)
    own = "\n".join((_SCRIPTS / f"{file}.js").read_text(encoding="utf-8") for file in files)
    return f"{keyboard_script()}\n{own}" if name == "keys" else own
