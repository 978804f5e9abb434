"""One HTML file that works offline: the figure with its animation, and its texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plotly.offline
from markdown_it import MarkdownIt

from lstm_explorer.core.escape import markup
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.words import settings_line
from lstm_explorer.figures.theme import FONT, ThemeName, theme_of
from lstm_explorer.locales import _, current_language

#: The pieces of Markdown that summaries use: bold words, the end of a line, and names with nothing of theirs in effect.
_SENTENCES = MarkdownIt("zero").enable(["emphasis", "newline", "escape"])


def chart_config(name: str) -> dict[str, Any]:
    """Return the options of a chart's own bar, on screen and in a page: no upload, a camera that saves a drawing."""
    return {
        "displaylogo": False,
        "showSendToCloud": False,
        "plotlyServerURL": "",
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
        "toImageButtonOptions": {"format": "svg", "filename": f"lstm-explorer-{name}"},
    }


def to_html(exhibit: Exhibit, *, theme: ThemeName = "light", title: bool = True, caption: bool = False) -> bytes:
    """Return a self-contained page: it makes no requests.

    Args:
        exhibit: The exhibit; frames and buttons included.
        theme: ``"light"`` or ``"dark"``.
        title: Whether to write the title above the figure.
        caption: Whether to write the settings beneath it.
    """
    parts = [f"<h1>{markup(exhibit.title)}</h1>"] if title else []
    parts += [figure_block(exhibit, theme), text_block(exhibit)]
    parts += [f'<p class="settings">{markup(settings_line(exhibit))}</p>'] if caption else []
    return document(exhibit.title, "\n".join(parts), theme, script=plotly_script()).encode()


def figure_block(exhibit: Exhibit, theme: ThemeName) -> str:
    """Return the figure as a block of HTML that needs :func:`plotly_script` before it."""
    figure = exhibit.draw(theme)
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=False, config={**chart_config(exhibit.name), "responsive": True},
        default_height=f"{figure.layout.height or 480}px", auto_play=False,
    )  # fmt: skip
    return f'<figure role="img" aria-label="{markup(exhibit.alt)}">{drawn}</figure>'


def text_block(exhibit: Exhibit) -> str:
    """Return the summary and how to read the figure, as HTML."""
    reading, says = _("How to read it."), _SENTENCES.render(exhibit.summary)
    return f'{says}<p class="read"><b>{markup(reading)}</b> {markup(exhibit.how_to_read)}</p>'


def plotly_script() -> str:
    """Return plotly.js as a script block, and what makes its charts reachable by keyboard."""
    return f"<script>{plotly.offline.get_plotlyjs()}</script>\n<script>{keyboard_script()}reachByKeyboard();</script>"


def keyboard_script() -> str:
    """Return the function ``reachByKeyboard``, which lets the keyboard press a chart's buttons and move its sliders."""
    return Path(__file__).with_name("keys.js").read_text(encoding="utf-8")


def document(title: str, body: str, theme: ThemeName, *, script: str = "", style: str = "") -> str:
    """Return a whole HTML document in the house's colours and the running language."""
    look = theme_of(theme)
    return f"""<!DOCTYPE html>
<html lang="{current_language()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="LSTM Explorer">
<title>{markup(title)}</title>
<style>
:root {{ color-scheme: {theme}; }}
body {{ margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 3rem); max-width: 75rem; background: {look.background};
  color: {look.text}; font: 16px/1.55 {FONT}; word-break: keep-all; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.6rem; }} h2 {{ font-size: 1.25rem; }} figure {{ margin: 0; }}
.read, .settings {{ color: {look.muted}; font-size: .875rem; }}
a {{ color: {look.networks["lstm"]}; }}
{style}
</style>
{script}
</head>
<body>
{body}
</body>
</html>
"""
