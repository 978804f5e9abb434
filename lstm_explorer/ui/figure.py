"""How a figure is shown: the picture, its summary, and how to read it."""

from __future__ import annotations

import base64
import time
from typing import Any

import numpy as np
import orjson
import plotly.basedatatypes
import plotly.io
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.export.interactive import chart_config
from lstm_explorer.figures.axes import FigureSpec
from lstm_explorer.locales import _, current_language
from lstm_explorer.ui.browser import draw
from lstm_explorer.ui.drawing import DRAWING
from lstm_explorer.ui.result_cache import RESULTS
from lstm_explorer.ui.runner import kept_as

#: Seconds. A browser lays out all that came together before it draws a picture; so what follows one that is redrawn at
#: every move of a slider comes a moment later, and the picture takes a third less (benchmarks/bench_app.py).
_HEAD_START = 0.06

#: Types of numbers that plotly.js takes as bytes: NumPy's names are its names.
_PACKED = ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8")
#: What stays as it is, which is most of a figure: it is not worth a call.
_PLAIN = frozenset({float, int, str, bool, type(None)})


def theme_name() -> str:
    """Return ``"light"`` or ``"dark"``, as the reader's screen is."""
    return st.context.theme.type or "light"


def show_figure(
    exhibit: Exhibit, *, key: str, slider: str = "", head_start: bool = False, words: DeltaGenerator | None = None
) -> None:
    """Draw a figure with its summary and how to read it.

    Args:
        exhibit: The exhibit to draw.
        key: Of the element.
        slider: Key of the slider that moves a drawing (``exhibit.neighbours``) in the browser, on a page that has one.
        words: Where the summary stands; beneath the figure by default.
        head_start: Whether the figure, which a slider redraws, is sent a moment before what follows it.
    """
    if exhibit.neighbours:
        draw(exhibit.neighbours(theme_name()), key=key, slider=f".st-key-{slider} input[type=range]" if slider else "")
    else:
        _show_chart(exhibit, key)
    if head_start:
        with DRAWING.aside():
            time.sleep(_HEAD_START)
    if exhibit.summary:
        (words or st).markdown(exhibit.summary)
    st.caption(_("**How to read it.** {text}").format(text=exhibit.how_to_read))


class _Unchecked(plotly.basedatatypes.BaseFigure):
    """A figure that is plain dicts: Streamlit asks it for nothing else, and tests check them as ``go.Figure``."""

    def __init__(self, spec: FigureSpec) -> None:
        """Keep the dicts; nothing is checked."""
        self._spec = with_packed_numbers(spec)

    def to_dict(self) -> FigureSpec:
        """Return the dicts."""
        return self._spec


def with_packed_numbers(spec: FigureSpec) -> FigureSpec:
    """Return a figure with the numbers of its traces and frames :func:`packed`."""
    return {**spec, **{name: packed(spec[name]) for name in ("data", "frames") if name in spec}}


def packed(part: Any) -> Any:
    """Return a part of a figure with its numbers as plotly.js takes them: their type and their bytes, in base64.

    Args:
        part: Plain dicts, lists and arrays; they are not changed.

    Example:
        >>> packed({"y": np.array([[1.0], [2.0]]), "name": "RNN"})
        {'y': {'dtype': 'f8', 'bdata': 'AAAAAAAA8D8AAAAAAAAAQA==', 'shape': '2, 1'}, 'name': 'RNN'}
    """
    if isinstance(part, dict):
        return {name: inner if type(inner) in _PLAIN else packed(inner) for name, inner in part.items()}
    if isinstance(part, list | tuple):
        return [inner if type(inner) in _PLAIN else packed(inner) for inner in part]
    if not isinstance(part, np.ndarray) or not part.size:
        return part
    if part.dtype.str[1:] == "i8":  # plotly.js has no such numbers; ours are steps and units, and far smaller
        part = part.astype(np.result_type(*map(np.min_scalar_type, (part.min(), part.max()))))
    kind = part.dtype.str[1:]
    if kind not in _PACKED:
        return part
    spec = {"dtype": kind, "bdata": base64.b64encode(part.tobytes()).decode("ascii")}
    return {**spec, "shape": ", ".join(map(str, part.shape))} if part.ndim > 1 else spec


def _chart(exhibit: Exhibit, theme: str) -> plotly.basedatatypes.BaseFigure:
    """Return the figure; as plain dicts where there are, and what stays of those written once for all sessions."""
    if still := exhibit.still:
        key = ("still", kept_as(still.job), still.options, theme, current_language())
        written = RESULTS.get(key, lambda: _written(with_packed_numbers(still.make(theme))))
        return _Unchecked(still.complete(_fragments(written), theme))
    return _Unchecked(exhibit.spec(theme)) if exhibit.spec else exhibit.draw(theme)


def _written(spec: FigureSpec) -> dict[str, Any]:
    """Return a figure with each part of its traces and of its layout, and all its frames, as JSON."""

    def parts(whole: dict[str, Any]) -> dict[str, Any]:
        # Plain values stay as they are: Streamlit reads the height.
        return {name: _json(part) if isinstance(part, dict | list) else part for name, part in whole.items()}

    frames = parts({"frames": spec["frames"]}) if "frames" in spec else {}
    return {"data": [*map(parts, spec["data"])], "layout": parts(spec["layout"]), **frames}


def _json(part: Any) -> bytes:
    text: str = plotly.io.json.to_json_plotly(part, engine="orjson")  # escapes what is HTML, as for a whole figure
    return text.encode()


def _fragments(written: Any) -> Any:
    """Return a figure with JSON in it as one that Plotly's encoder copies."""
    if isinstance(written, bytes):
        return orjson.Fragment(written)
    if isinstance(written, dict):
        return {name: _fragments(part) for name, part in written.items()}
    return [*map(_fragments, written)] if isinstance(written, list) else written


def _show_chart(exhibit: Exhibit, key: str) -> None:
    st.plotly_chart(
        _chart(exhibit, theme_name()),
        theme=None,
        width="stretch",
        key=key,
        alt=exhibit.alt,
        config=chart_config(exhibit.name),
    )
