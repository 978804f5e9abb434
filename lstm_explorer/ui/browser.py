"""What only the reader's browser can do: click for them, copy a text, show a drawing that can be pointed at."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

#: A component runs again whenever its page does; the number says whether this is news.
_ONCE = """
export default function ({ data }) {
    window.lstmExplorerDone ??= new Set();
    if (window.lstmExplorerDone.has(data.number)) return;
    window.lstmExplorerDone.add(data.number);
    ACT
}
"""
_CLICK = """
    const look = () => {
        const button = document.querySelector(data.selector);
        if (button) button.click(); else setTimeout(look, 20);
    };
    look();
"""
#: The clipboard is there on https and on localhost only; elsewhere a selected field is copied the old way.
_COPY = """
    const old = () => {
        const field = document.body.appendChild(document.createElement('textarea'));
        field.value = data.text;
        field.select();
        document.execCommand('copy');
        field.remove();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(data.text).catch(old); else old();
"""
#: Streamlit's own HTML element takes drawings out. What is drawn here is ours, with the reader's texts escaped.
#: Where a slider moves the drawing, those of the steps around are here already, and are shown as soon as the slider
#: says so: on a page of this size a rerun takes Streamlit 60 ms in the browser. Its slider sends no event: watch it.
_DRAW = """
export default function ({ data, parentElement }) {
    let room = parentElement.querySelector('.drawing');
    if (!room) {
        room = document.createElement('div');
        room.className = 'drawing';
        parentElement.appendChild(room);
    }
    room.show = () => {
        const slider = room.data.slider && document.querySelector(room.data.slider);
        const drawing = room.data.drawings[slider?.value] ?? room.data.drawings[room.data.at];
        if (room.shown === drawing) return;
        const focused = room.contains(document.activeElement)
            ? [...room.querySelectorAll('[tabindex]')].indexOf(document.activeElement) : -1;
        room.innerHTML = room.shown = drawing;
        if (focused >= 0) room.querySelectorAll('[tabindex]')[focused]?.focus();
    };
    room.data = data;
    room.show();
    if (!data.slider || room.watch) return;
    room.watch = new MutationObserver(() => room.isConnected ? room.show() : room.watch.disconnect());
    room.watch.observe(document.body, { subtree: true, attributeFilter: ['aria-valuetext'] });
}
"""
#: Drawing a chart anew for one line that moves takes a quarter of a second; so the line is moved where it stands.
_CURSOR = """
export default function ({ data }) {
    for (const chart of document.querySelectorAll('.js-plotly-plot')) {
        const axis = chart._fullLayout?.xaxis;
        const shape = chart._fullLayout?.shapes?.find(shape => shape.name === 'cursor');
        if (!axis || !shape) continue;
        shape.x0 = shape.x1 = data.step;
        const x = axis._offset + axis.l2p(data.step);
        for (const path of chart.querySelectorAll(`.shapelayer path[data-index="${shape._index}"]`))
            path.setAttribute('d', path.getAttribute('d').replace(/([ML])[-\\d.]+/g, `$1${x}`));
    }
}
"""
#: One press after another, each a while after the page has drawn the last; over when there is nothing left to press.
_PLAY = """
export default function ({ data }) {
    clearInterval(window.lstmExplorerPlay);
    if (!data.on) return;
    window.lstmExplorerPlay = setInterval(() => {
        const button = document.querySelector(data.selector);
        if (button && !button.disabled) button.click(); else clearInterval(window.lstmExplorerPlay);
    }, data.milliseconds);
}
"""
#: A chart may be made anew at any time: so its clicks are asked for when a pointer goes down on it.
_PICK = """
export default function ({ data, setTriggerValue }) {
    const first = !window.lstmExplorerPick;
    window.lstmExplorerPick ??= new Map();
    window.lstmExplorerPick.set(data.selector, setTriggerValue);
    if (!first) return;
    document.addEventListener('pointerdown', event => {
        for (const selector of window.lstmExplorerPick.keys()) {
            const chart = event.target.closest?.(selector)?.querySelector('.js-plotly-plot');
            if (!chart || chart.lstmExplorerPicks) continue;
            chart.lstmExplorerPicks = true;
            chart.on('plotly_click', ({ points: [point] }) =>
                window.lstmExplorerPick.get(selector)('picked', { x: Number(point.x), y: Number(point.y) }));
        }
    }, true);
}
"""
_numbers = itertools.count(1)


def click(selector: str, *, key: str) -> None:
    """Click an element as soon as it is there; where scripts are forbidden, the reader has to."""
    _run("lstm_explorer.click", _CLICK, {"selector": selector}, key)


def copy(text: str, *, key: str) -> None:
    """Put a text on the clipboard."""
    _run("lstm_explorer.copy", _COPY, {"text": text}, key)


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
    _component("lstm_explorer.draw", _DRAW)(data=data, key=key)


def play(selector: str, *, on: bool, milliseconds: int = 900) -> None:
    """Press a button again and again, until it is disabled or gone."""
    data = {"selector": selector, "on": on, "milliseconds": milliseconds}
    _component("lstm_explorer.play", _PLAY)(data=data, key="play")


def move_cursor(step: int) -> None:
    """Move the upright line of every chart of the page that has one, a shape named ``cursor``, to a step."""
    _component("lstm_explorer.cursor", _CURSOR)(data={"step": step}, key="cursor")


def pick(selector: str, take: Callable[[float, float], None], *, key: str) -> None:
    """Hand a click on a point of a chart to Python: ``take(x, y)`` is called as a widget's callback is."""

    def picked() -> None:
        point = st.session_state[key].picked
        if point:
            take(point["x"], point["y"])

    _component("lstm_explorer.pick", _PICK)(data={"selector": selector}, key=key, on_picked_change=picked)


def _run(name: str, script: str, data: dict[str, str], key: str) -> None:
    _component(name, _ONCE.replace("ACT", script))(data={**data, "number": next(_numbers)}, key=key)


@functools.cache
def _component(name: str, script: str) -> Any:
    """Register a component, once a process: anew at every run it would cost 30 ms, and be mounted anew."""
    return st.components.v2.component(name, js=script, isolate_styles=False)
