"""What only the reader's browser can do: click for them, and copy a text. A few lines of script, run once each."""

from __future__ import annotations

import itertools

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
_numbers = itertools.count(1)


def click(selector: str, *, key: str) -> None:
    """Click an element as soon as it is there; where scripts are forbidden, the reader has to."""
    _run("lstm_explorer.click", _CLICK, {"selector": selector}, key)


def copy(text: str, *, key: str) -> None:
    """Put a text on the clipboard."""
    _run("lstm_explorer.copy", _COPY, {"text": text}, key)


def _run(name: str, script: str, data: dict[str, str], key: str) -> None:
    component = st.components.v2.component(name, js=_ONCE.replace("ACT", script))
    component(data={**data, "number": next(_numbers)}, key=key)
