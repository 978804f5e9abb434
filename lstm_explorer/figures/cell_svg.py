"""The drawing of the cell diagrams: positions, wires as strong as their values, gates, labels, escaped text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.escape import markup
from lstm_explorer.figures.formatting import superscript
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import FONT, Theme

Point = tuple[float, float]
Line = Sequence[Point]


class Label(NamedTuple):
    """Where a wire's name stands, and how far below it its value; a horizontal wire runs between the two."""

    symbol: str
    x: float
    y: float
    anchor: str = "start"
    below: float = 52


#: Opacity of what is not in the stage, and of the faintest wire; neither is invisible.
FADED, _FAINTEST = 0.25, 0.35
_THINNEST, _THICKEST = 1.6, 8.0
_SIZE, _WIDTH = 21, 900
#: The frame of the cell, and where wires begin and end outside it.
LEFT, RIGHT, TOP, FROM, TO, UP = 116, 784, 54, 10, 890, 8
#: Radius of a node; width, top and end of a gate's box; largest width of a number.
NODE, BOX, BOX_TOP, BOX_END, _NUMBER = 17, 104, 292, 382, 91
#: Heights of the conveyor along the top, of the two wires that feed the gates, and of the frame's lower edge.
CONVEYOR, HIDDEN, INPUT, BOTTOM = 124, 422, 452, 482
#: The same of the RNN's one wire and its frame; and how far beside a gate's centre ``h`` and ``x`` enter it.
ROW, RNN_BOTTOM, PORT = 196, 320, 22
#: Centres of the gates, left to right: forget, input, candidate, output; update, reset, candidate.
LSTM, GRU = (220, 342, 464, 586), (236, 402, 654)
#: Wire names and where they stand.
LSTM_LABELS: Mapping[str, Label] = {
    "cell_before": Label("c_{t−1}", FROM, CONVEYOR - 20),
    "hidden_before": Label("h_{t−1}", FROM, HIDDEN - 20),
    "kept": Label("f_t ⊙ c_{t−1}", (LSTM[0] + LSTM[2]) / 2, CONVEYOR - 20, "middle"),
    "written": Label("i_t ⊙ g_t", LSTM[2] + 18, 172, below=27),
    "cell": Label("c_t", 798, CONVEYOR - 20),
    "exposed": Label("tanh c_t", 674, 216, "end", 27),
    "hidden": Label("h_t", 798, HIDDEN - 20),
}
GRU_LABELS: Mapping[str, Label] = {
    "hidden_before": Label("h_{t−1}", FROM, CONVEYOR - 20),
    "kept": Label("z_t ⊙ h_{t−1}", GRU[1], CONVEYOR - 20, "middle"),
    "written": Label("(1 − z_t) ⊙ n_t", GRU[2] - 20, 172, "end", 27),
    "hidden": Label("h_t", 798, CONVEYOR - 20),
}
RNN_LABELS: Mapping[str, Label] = {
    "hidden_before": Label("h_{t−1}", FROM, ROW - 20),
    "hidden": Label("h_t", 798, ROW - 20),
}
_TOKEN = re.compile(r"([a-zA-Z])_(?:\{([^}]*)\}|(\w))|([^_]+?(?=[a-zA-Z]_|$))")


@dataclass(frozen=True, kw_only=True)
class Pen:
    """The colours, the numbers and the highlighted quantities that every part of a drawing uses.

    Attributes:
        architecture: Name of an architecture that has a diagram.
        look: Colours.
        values: Number of each quantity.
        sentences: Title of each quantity.
        lit: Highlighted quantities; the others are faded.
        reads: What is read at this step.
        squash: Name of the plain RNN's nonlinearity.
        labels: Where each wire's name stands.
    """

    architecture: str
    look: Theme
    values: Mapping[str, float]
    sentences: Mapping[str, str]
    lit: frozenset[str]
    reads: str
    squash: str
    labels: Mapping[str, Label]

    def colour(self, name: str) -> str:
        """Return a quantity's colour: the gate's, the network's for the cell state, the text's for the hidden state."""
        record = architecture_named(self.architecture)
        if name in record.blocks and record.gates:
            return self.look.gates[name]
        if name == "x":
            return self.look.muted
        of_memory = record.memory != "hidden" and not name.startswith("hidden")
        return self.look.networks[record.name] if of_memory else self.look.text

    def strength(self, name: str) -> float:
        """Return how strong a quantity is drawn, 0 to 1, by its size alone: equal numbers always look the same."""
        if name == "x":
            return 0.2
        size = abs(self.values[name])
        return min(size, 1.0) if name in self.look.gates else math.tanh(2 * size)

    def wires(self, name: str, *lines: Line) -> str:
        """Return a quantity's wires, as strong as its value."""
        return wires(lines, self.colour(name), self.strength(name))

    def quantity(self, name: str, *parts: str) -> str:
        """Return one quantity with its label: a group with a title, that the keyboard reaches."""
        sentence, label = markup(self.sentences[name]), self.labels.get(name)
        texts = self._label(name, label) if label else ""
        return (
            f'<g role="img" tabindex="0" data-quantity="{name}" aria-label="{sentence}" '
            f'opacity="{1 if name in self.lit else FADED:g}"><title>{sentence}</title>{"".join(parts)}{texts}</g>'
        )

    def _label(self, name: str, label: Label) -> str:
        at, beneath = (label.x, label.y), (label.x, label.y + label.below)
        return text(maths(label.symbol), at, self.colour(name), anchor=label.anchor, weight=600) + self._number(
            name, beneath, label.anchor
        )

    def _number(self, name: str, at: Point, anchor: str) -> str:
        shown = number(self.values[name])
        return text(shown, at, self.look.text, fitting(shown, _SIZE, _NUMBER), anchor=anchor, weight=600)

    def gate(self, name: str, symbol: str, word: str, centre: float, *lines: Line, beside: str = "") -> str:
        """Return a gate: its wires, and a box with its symbol, its nonlinearity, its value and its name."""
        colour, left, level = self.colour(name), centre - BOX / 2, self.strength(name)
        squash, size = "tanh" if name == "candidate" else "σ", fitting(word, 20, BOX - 8)
        return self.quantity(
            name,
            self.wires(name, *lines),
            beside,
            f'<rect x="{left:g}" y="{BOX_TOP}" width="{BOX}" height="{BOX_END - BOX_TOP}" rx="12" fill="{colour}" '
            f'fill-opacity="{0.05 + 0.25 * level:.3f}" stroke="{colour}" stroke-width="{1.6 + 2.4 * level:.2f}"/>',
            text(maths(symbol), (left + 12, BOX_TOP + 27), colour, 23, weight=600),
            text(squash, (left + BOX - 12, BOX_TOP + 27), self.look.muted, 18, anchor="end"),
            self._number(name, (centre, BOX_TOP + 55), "middle"),
            text(markup(word), (centre, BOX_TOP + 79), colour, size, anchor="middle", weight=600),
        )

    def box(self, left: float, right: float, lines: Sequence[str]) -> str:
        """Return the plain RNN's box with three lines: its nonlinearity, its preactivation, and a remark."""
        colour, centre, large = self.look.networks["rnn"], (left + right) / 2, (26, _SIZE, 18)
        colours, weights = (colour, self.look.text, colour), (700, 400, 600)
        return (
            f'<rect x="{left:g}" y="{ROW - 60}" width="{right - left:g}" height="120" rx="14" fill="{colour}" '
            f'fill-opacity="0.12" stroke="{colour}" stroke-width="2.4"/>'
        ) + "".join(
            text(line, (centre, ROW - 20 + 33 * row), colours[row], large[row], anchor="middle", weight=weights[row])
            for row, line in enumerate(lines)
        )

    def node(self, x: float, y: float, sign: str) -> str:
        """Return the circle of an element-wise product or sum."""
        turned = f' transform="rotate(45 {x:g} {y:g})"' if sign == "×" else ""
        return (
            f'<circle cx="{x:g}" cy="{y:g}" r="{NODE - 1}" fill="{self.look.background}" stroke="{self.look.text}" '
            f'stroke-width="2"/><path d="M{x - 9:g} {y:g}H{x + 9:g}M{x:g} {y - 9:g}V{y + 9:g}" '
            f'stroke="{self.look.text}" stroke-width="2.4" stroke-linecap="round"{turned}/>'
        )

    def pill(self, x: float, y: float, words: str, colour: str, width: float) -> str:
        """Return a small round box: a function without weights."""
        size = fitting(re.sub("<[^>]*>", "", words), 19, width - 16)
        return (
            f'<rect x="{x - width / 2:g}" y="{y - 18:g}" width="{width:g}" height="36" rx="18" '
            f'fill="{self.look.background}" stroke="{colour}" stroke-width="2"/>'
            + text(words, (x, y + 7), self.look.text, size, anchor="middle", weight=600)
        )

    def feeds(self, name: str, start: Line, ports: Sequence[tuple[str, Point]]) -> str:
        """Return the wire of ``h`` or ``x`` along the bottom, with branches up to the gates; highlighted where used."""
        x, y = start[-1]
        whole = name not in self.lit  # then the group around it is faded
        lit: list[Line] = []
        dark: list[Line] = []
        for gate, port in ports:
            (lit if whole or self.lit >= {gate, "x"} else dark).append([(port[0], y), port])
        reach, far = (max((line[0][0] for line in lines), default=x) for lines in (lit, [*lit, *dark]))
        style, trunk = (self.colour(name), self.strength(name)), [*start, (reach, y)]
        if not lit:
            return f'<g opacity="{FADED:g}">{wires([[*start, (far, y)], *dark], *style, blunt=1)}</g>'
        rest = wires([[(reach, y), (far, y)], *dark], *style, blunt=1) if far > reach else wires(dark, *style)
        return f'<g opacity="{FADED:g}">{rest}</g>{wires([trunk, *lit], *style, blunt=1)}'

    def gap(self, x: float, y: float, width: float) -> str:
        """Return a gap in a level wire, for another to cross it without touching."""
        return f'<path d="M{x:g} {y - 9:g}V{y + 9:g}" stroke="{self.look.background}" stroke-width="{width:g}"/>'

    def track(self, y: float) -> str:
        """Return the pale band under a conveyor, so that it is visible even where its values are small."""
        return f'<path d="M{FROM} {y:g}H{TO}" stroke="{self.colour("kept")}" stroke-width="18" stroke-opacity="0.08"/>'

    def reading(self, x: float, y: float) -> str:
        """Return the input's name and what is read."""
        room = _WIDTH - x - 56
        shown = self.reads if extent(self.reads) * 15 < room else self.reads[: int(room / 15)] + "…"
        return text(maths("x_t"), (x + 14, y), self.look.muted, weight=600) + text(
            markup(shown), (x + 46, y), self.look.text, fitting(shown, _SIZE, room), weight=600
        )

    def frame(self, bottom: float, caption: str) -> str:
        """Return the background, the cell's outline, the network's name and the caption."""
        network, name = self.look.networks[self.architecture], network_name(self.architecture)
        beside = f'<tspan font-weight="400" fill="{self.look.muted}" font-size="{fitting(caption, 19, 500):g}" dx="14">'
        return (
            f'<rect width="{_WIDTH}" height="{bottom + 54:g}" fill="{self.look.background}"/>'
            f'<rect x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{bottom - TOP:g}" rx="22" fill="none" '
            f'stroke="{network}" stroke-opacity="0.45" stroke-width="2"/>'
            + text(f"{name}{beside}{markup(caption)}</tspan>", (LEFT + 4, 38), network, 23, weight=700)
        )

    def paper(self, bottom: float, parts: Sequence[str], caption: str, sentence: str) -> str:
        """Return the whole SVG: the frame down to ``bottom``, and in it the parts."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 54:g}" width="100%" role="group" '
            f'aria-label="{markup(sentence)}" font-family="{markup(FONT)}">'
            f"{self.frame(bottom, caption)}{''.join(parts)}</svg>"
        )


def wires(lines: Sequence[Line], colour: str, strength: float, *, blunt: int = 0) -> str:
    """Return lines of one strength as one path, so that where they meet is no darker, each with an arrowhead.

    Args:
        lines: Corners of each line; they are rounded.
        colour: Of the lines.
        strength: 0 (thin and faint, never gone) to 1 (thick and full).
        blunt: How many of the lines, from the first, have no arrowhead.
    """
    width, opacity = _THINNEST + (_THICKEST - _THINNEST) * strength, _FAINTEST + (1 - _FAINTEST) * strength
    long, half = 9 + 0.9 * width, 5 + 0.75 * width
    paths, heads = [], []
    for index, line in enumerate(lines):
        if index < blunt:
            paths.append(_rounded(line))
            continue
        (x, y), (dx, dy) = line[-1], _direction(line[-2], line[-1])
        left, top = x - dx * long, y - dy * long
        paths.append(_rounded([*line[:-1], (left, top)]))
        points = f"{x:g},{y:g} {left - dy * half:g},{top + dx * half:g} {left + dy * half:g},{top - dx * half:g}"
        heads.append(f'<polygon points="{points}" fill="{colour}" fill-opacity="{opacity:.3f}"/>')
    return (
        f'<path d="{"".join(paths)}" fill="none" stroke="{colour}" stroke-width="{width:.2f}" '
        f'stroke-opacity="{opacity:.3f}"/>{"".join(heads)}'
        if lines
        else ""
    )


def _direction(start: Point, end: Point) -> Point:
    length = math.dist(start, end) or 1.0
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _rounded(line: Line, radius: float = 14) -> str:
    """Return a path through these points with round corners."""
    path = f"M{line[0][0]:g} {line[0][1]:g}"
    for before, (x, y), after in zip(line, line[1:], line[2:], strict=False):
        (ax, ay), (bx, by) = _direction((x, y), before), _direction((x, y), after)
        path += f"L{x + ax * radius:g} {y + ay * radius:g}Q{x:g} {y:g} {x + bx * radius:g} {y + by * radius:g}"
    return path + f"L{line[-1][0]:g} {line[-1][1]:g}"


def text(inner: str, at: Point, colour: str, size: float = _SIZE, *, anchor: str = "start", weight: int = 400) -> str:
    """Return one line of text; its inside is SVG already."""
    return (
        f'<text x="{at[0]:g}" y="{at[1]:g}" fill="{colour}" font-size="{size:g}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{inner}</text>'
    )


def extent(words: str) -> float:
    """Return about how wide text is, in shares of its size: Korean letters are square, superscripts narrow."""
    return sum(1.0 if letter > "\u2fff" else 0.45 if letter in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹" else 0.66 for letter in words)


def fitting(words: str, size: float, room: float) -> float:
    """Return the size at which text fits into its room, at most this one and never below 12."""
    return max(12.0, round(min(size, room / (extent(words) or 1.0)), 1))


def maths(symbol: str) -> str:
    """Return a formula such as ``c_{t−1}`` with its letters slanted and its indices lowered.

    Example:
        >>> maths("b_{}")
        '<tspan font-style="italic">b</tspan>'
    """
    parts, back = [], ""
    for letter, long, short, other in _TOKEN.findall(symbol):
        index = long or short
        slanted = ' font-style="italic"' if letter else ""
        parts.append(f"<tspan{slanted}{back}>{letter or other}</tspan>")
        back = ' dy="-0.2em"' if index else ""
        if index:
            parts.append(f'<tspan dy="0.28em" font-size="72%">{index}</tspan>')
    return "".join(parts)


def number(value: float) -> str:
    """Return a value as it is written in the picture: two or three significant digits, scientific beyond.

    Example:
        >>> number(0.5), number(-1.2345), number(0.0123), number(0.0000123), number(-45678.0), number(0.0)
        ('0.500', '−1.23', '0.012', '1.2×10⁻⁵', '−4.6×10⁴', '0')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}".removeprefix("-")
    if 0.001 <= abs(value) < 999.5:
        return f"{value:#.{3 if abs(value) >= 0.1 else 2}g}".rstrip(".").replace("-", "−")
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}×10{superscript(int(exponent))}".replace("-", "−")
