"""The one place of colours, fonts and templates. A colour means the same thing in every figure, light or dark."""

from __future__ import annotations

import functools
import itertools
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from lstm_explorer.core.architectures import ARCHITECTURES

ThemeName = Literal["light", "dark"]

#: What a light figure is printed on; the screen's background is a little darker.
PAPER = "#FFFFFF"

#: The same stack as in .streamlit/config.toml, so that figures and text look alike; Korean on every system.
FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', "
    "'Noto Sans CJK KR', NanumGothic, sans-serif"
)


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours of one appearance; networks are Okabe and Ito's, told apart by colour-blind readers too."""

    name: ThemeName
    background: str
    text: str
    muted: str
    grid: str
    theory: str
    #: Where more gradient arrives than the last step has.
    explosion: str
    #: Negative values of a signed scale.
    negative: str
    #: By architecture.
    networks: Mapping[str, str]
    #: Gates by their PyTorch name. The update gate has the forget gate's colour: both decide what is kept.
    gates: Mapping[str, str]


def _theme(name: ThemeName, *, palette: Mapping[str, str], gates: tuple[str, ...], **colours: str) -> Theme:
    forget, input_, candidate, output, reset = gates
    named = {"forget": forget, "input": input_, "candidate": candidate, "output": output}
    networks = {architecture: palette[record.colour] for architecture, record in ARCHITECTURES.items()}
    return Theme(
        name=name,
        networks=types.MappingProxyType(networks),
        gates=types.MappingProxyType({**named, "reset": reset, "update": forget}),
        negative=palette["vermilion"],
        **colours,
    )


THEMES: Mapping[str, Theme] = types.MappingProxyType(
    {
        "light": _theme(
            "light",
            background="#FCFCFB",
            text="#1C2329",
            muted="#5B666E",
            grid="#E3E7E9",
            theory="#7A858C",
            explosion="#5B1A77",
            palette={
                "vermilion": "#D55E00", "blue": "#0072B2", "green": "#009E73", "purple": "#B0508C", "amber": "#B07A00",
                "slate": "#55617A", "olive": "#7D7F1E",
            },
            gates=("#A02C72", "#9A7400", "#1B8CA3", "#7C6BD6", "#7A5230"),
        ),
        "dark": _theme(
            "dark",
            background="#12161A",
            text="#E6EAED",
            muted="#9BA7AF",
            grid="#2A333A",
            theory="#97A3AB",
            explosion="#E3C8F2",
            palette={
                "vermilion": "#FF8A3D", "blue": "#56B4E9", "green": "#2FC79A", "purple": "#E79BC6", "amber": "#F0C24B",
                "slate": "#A9B8D0", "olive": "#C3C45C",
            },
            gates=("#F48CC4", "#E5C04A", "#7BD3E3", "#B9A8FF", "#D2A679"),
        ),
    }
)  # fmt: skip


def theme_of(name: str) -> Theme:
    """Return a theme by its name.

    Raises:
        ValueError: It is neither ``"light"`` nor ``"dark"``.
    """
    if name not in THEMES:
        raise ValueError(f"theme is {name!r}: expected 'light' or 'dark'.")
    return THEMES[name]


@functools.cache
def template(name: ThemeName) -> go.layout.Template:
    """Return the Plotly template of every figure; made once, since Plotly checks every line of it."""
    theme = THEMES[name]
    axis = {
        "gridcolor": theme.grid,
        "linecolor": theme.grid,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": theme.grid,
        "ticklen": 4,
        "title": {"font": {"size": 13}, "standoff": 8},
        "tickfont": {"color": theme.muted, "size": 12},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": theme.text},
            "paper_bgcolor": theme.background,
            "plot_bgcolor": theme.background,
            "colorway": list(theme.networks.values()),
            "xaxis": axis,
            "yaxis": axis,
            # Fixed, not automargin: that lays every figure out twice.
            "margin": {"l": 78, "r": 16, "t": 36, "b": 48},
            "hoverlabel": {
                # Set explicitly: Plotly would write in the colour of the border.
                "font": {"family": FONT, "size": 12, "color": theme.text},
                "bgcolor": theme.background,
                "bordercolor": theme.muted,
            },
            "legend": {
                "orientation": "h",
                "yanchor": "bottom",
                "y": 1.0,
                "x": 0,
                "font": {"size": 12},
                "tracegroupgap": 0,
            },
        }
    )


@functools.cache
def plain_template(name: ThemeName) -> dict[str, Any]:
    """Return the template as plain dicts, for figures that are plain dicts themselves."""
    plain: dict[str, Any] = template(name).to_plotly_json()
    return plain


def faded(colour: str, opacity: float) -> str:
    """Return a colour ``#RRGGBB`` with an opacity, as Plotly writes it.

    Example:
        >>> faded("#0072B2", 0.25)
        'rgba(0,114,178,0.25)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def blended(colour: str, background: str, share: float) -> str:
    """Return a colour laid over a background with an opacity, as an opaque colour.

    Example:
        >>> blended("#000000", "#FFFFFF", 0.5)
        '#808080'
    """
    pairs = ((int(colour[i : i + 2], 16), int(background[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(share * over + (1 - share) * under):02X}" for over, under in pairs)


def colour_at(stops: Sequence[Sequence[Any]], share: float) -> str:
    """Return the colour of a scale at a place, as Plotly interpolates it.

    Args:
        stops: Places from 0 to 1 with their colours ``#RRGGBB``, ascending.
        share: The place.

    Example:
        >>> colour_at([(0.0, "#000000"), (1.0, "#FFFFFF")], 0.5)
        '#808080'
    """
    for (low, under), (high, over) in itertools.pairwise(stops):
        if share <= high:
            return blended(over, under, (share - low) / (high - low) if high > low else 1.0)
    return str(stops[-1][1])


def readable_on(colour: str, look: Theme) -> str:
    """Return the colour of text, or that of the background, whichever stands out more against a colour.

    Args:
        colour: What is written on, ``#RRGGBB``.
        look: The theme.

    Source:
        WCAG 2.2, contrast ratio.
    """
    ground = _luminance(colour)

    def contrast(ink: str) -> float:
        lighter, darker = sorted((_luminance(ink), ground), reverse=True)
        return (lighter + 0.05) / (darker + 0.05)

    return max((look.text, look.background), key=contrast)


def _luminance(colour: str) -> float:
    """Return how bright a colour ``#RRGGBB`` is, 0 to 1."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
