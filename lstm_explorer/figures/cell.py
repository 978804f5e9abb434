"""One cell at one step, as a diagram whose wires and gates are as strong as their measured values."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.engine.trajectory import Trajectory
from lstm_explorer.core.escape import markup
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.cell_svg import (
    BOTTOM,
    BOX,
    BOX_END,
    BOX_TOP,
    CONVEYOR,
    FROM,
    GRU,
    GRU_LABELS,
    HIDDEN,
    INPUT,
    LSTM,
    LSTM_LABELS,
    NODE,
    PORT,
    RNN_BOTTOM,
    RNN_LABELS,
    ROW,
    TO,
    UP,
    Label,
    Pen,
    Point,
    maths,
    number,
    wires,
)
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import theme_of
from lstm_explorer.locales import _, translated


@checks_kinds
def plot_cell(
    trajectory: Trajectory,
    *,
    step: int,
    layer: int = -1,
    sample: int = 0,
    unit: int | None = None,
    stage: str | None = None,
    reads: str = "",
    nonlinearity: str = "tanh",
    theme: str = "light",
) -> str:
    """Draw one cell of a real network at one step.

    Every quantity is a group that the keyboard reaches, with a title of its name, value, meaning and shape. A gate
    is drawn as strong as it is open, a state by ``tanh(2 |value|)``, so equal values look the same in every picture.

    Args:
        trajectory: From :func:`lstm_explorer.unroll`.
        step: From 1 to T; the gates at index ``step - 1`` made it.
        layer: Index of the layer; negative ones count from the last.
        sample: Index of the sequence in the batch.
        unit: Index of the unit shown; None for the mean over the units.
        stage: The name of one of the architecture's stages to highlight; None for all.
        reads: What is read at this step, such as a character or a year.
        nonlinearity: The plain RNN's, ``"tanh"`` or ``"relu"``; the trajectory does not hold it.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        Text of an SVG without scripts, ids, styles or references, safe to embed in a page.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such step, layer, sample, unit, stage, nonlinearity or theme, or the architecture has no
            diagram.

    Example:
        >>> import torch
        >>> from lstm_explorer.core.engine.trajectory import unroll
        >>> svg = plot_cell(unroll(torch.nn.LSTM(3, 4), torch.zeros(10, 1, 3)), step=7, stage="forget", reads="a")
        >>> svg[:4], svg[-6:]
        ('<svg', '</svg>')
    """
    look = theme_of(theme)
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity is {nonlinearity!r}: expected 'tanh' or 'relu'.")
    if trajectory.architecture not in DIAGRAMS:
        drawn = ", ".join(map(repr, DIAGRAMS))
        raise ValueError(f"architecture is {trajectory.architecture!r}: expected one of {drawn}, which have a diagram.")
    diagram = DIAGRAMS[trajectory.architecture]
    values = cell_values(trajectory, step=step, layer=layer, sample=sample, unit=unit)
    caption = _caption(trajectory, step, layer, unit)
    names = frozenset([*values, "x"])
    pen = Pen(
        architecture=trajectory.architecture,
        look=look,
        values=values,
        sentences=_sentences(trajectory, values, unit, reads),
        lit=names if stage is None else _stage_quantities(trajectory.architecture, stage),
        reads=reads,
        squash="tanh" if nonlinearity == "tanh" else "ReLU",
        labels=diagram.labels,
    )
    what = _("{network} cell: every gate and wire is drawn as strong as its value. {caption}.")
    sentence = what.format(network=network_name(pen.architecture), caption=caption)
    return pen.paper(diagram.bottom, diagram.draw(pen), caption, sentence)


@checks_kinds
def cell_values(
    trajectory: Trajectory, *, step: int, layer: int = -1, sample: int = 0, unit: int | None = None
) -> Mapping[str, float]:
    r"""Return the numbers of one step of one cell: of one unit, or their means over the units.

    Products and ``tanh`` are taken unit by unit before the mean, so that ``kept + written`` is the new state for the
    means too.

    Args:
        trajectory: From :func:`lstm_explorer.unroll`.
        step: From 1 to T.
        layer: Index of the layer; negative ones count from the last.
        sample: Index of the sequence in the batch.
        unit: Index of the unit; None for the mean over the units.

    Returns:
        The quantities of the architecture's record, such as ``kept`` (:math:`f_t \odot c_{t-1}` of the LSTM) and
        ``written`` (:math:`i_t \odot g_t`).

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such step, layer, sample or unit.

    Example:
        >>> import torch
        >>> from lstm_explorer.core.engine.trajectory import unroll
        >>> values = cell_values(unroll(torch.nn.GRU(3, 4), torch.zeros(10, 1, 3)), step=7)
        >>> abs(values["kept"] + values["written"] - values["hidden"]) < 1e-6
        True
    """
    _check(trajectory, step, layer, sample, unit)
    shown = _vectors(trajectory, (layer, step, sample), (layer, step - 1, sample))
    return types.MappingProxyType(
        {name: float(vector.mean() if unit is None else vector[unit]) for name, vector in shown.items()}
    )


def _vectors(trajectory: Trajectory, now: tuple[int, ...], before: tuple[int, ...]) -> Mapping[str, Tensor]:
    """Return every quantity, ``(H,)`` in float64; the gates' index is that of the step before."""
    record = architecture_named(trajectory.architecture)
    states = {state.name: getattr(trajectory, state.name) for state in record.states}
    gates = trajectory.gates._asdict() if trajectory.gates is not None else {}
    return record.values(
        {name: state[before].double() for name, state in states.items()},
        {name: gate[before].double() for name, gate in gates.items()},
        {name: state[now].double() for name, state in states.items()},
    )


def _check(trajectory: Trajectory, step: int, layer: int, sample: int, unit: int | None) -> None:
    """Refuse what the trajectory does not have."""
    layers, steps, samples, units = trajectory.hidden.shape
    _check_range("step", step, 1, steps - 1, "step 0 is the initial state, that no gate made")
    _check_range("layer", layer, -layers, layers - 1, "negative layers count from the last")
    _check_range("sample", sample, 0, samples - 1, "samples count from 0")
    if unit is not None:
        _check_range("unit", unit, 0, units - 1, "units count from 0, and None is their mean")


def _check_range(name: str, value: int, first: int, last: int, hint: str) -> None:
    if not first <= value <= last:
        raise ValueError(f"{name} is {value!r}: expected {first} to {last}; {hint}.")


def _stage_quantities(architecture: str, name: str) -> frozenset[str]:
    """Return the quantities of a stage; the others are faded."""
    stages = {stage.name: stage for stage in architecture_named(architecture).stages}
    if name not in stages:
        expected = ", ".join(map(repr, stages))
        raise ValueError(f"stage is {name!r}: expected one of {expected} for the {architecture!r}, or None for all.")
    return frozenset(stages[name].lights)


def _caption(trajectory: Trajectory, step: int, layer: int, unit: int | None) -> str:
    """Return a line with the step, the layer and the unit."""
    layers, steps, _samples, units = trajectory.hidden.shape
    parts = [_("step {step} of {last}").format(step=step, last=steps - 1), _of_units(unit, units)]
    if layers > 1:
        parts.insert(0, _("layer {layer} of {count}").format(layer=layer % layers + 1, count=layers))
    return " · ".join(parts)


def _of_units(unit: int | None, units: int) -> str:
    if unit is None:
        return _("mean of {count} units").format(count=units)
    return _("unit {unit} (of 0 to {last})").format(unit=unit, last=units - 1)


def _sentences(trajectory: Trajectory, values: Mapping[str, float], unit: int | None, reads: str) -> dict[str, str]:
    """Return the title of each quantity."""
    units = trajectory.hidden.shape[-1]
    template = _("{name} {symbol} = {value} ({units}): {meaning} Shape ({count},).")
    titles = {
        name: template.format(
            name=translated(title), symbol=symbol, value=number(values[name]), units=_of_units(unit, units),
            meaning=translated(meaning), count=units,
        )
        for name, symbol, title, meaning in architecture_named(trajectory.architecture).quantities
    }  # fmt: skip
    read = _("input x_t, read at this step: {reads}.").format(reads=reads) if reads else _("input x_t of this step.")
    return {**titles, "x": read}


def _lstm(pen: Pen) -> list[str]:
    """Draw the cell state's conveyor along the top, four gates beneath it, the hidden state at the bottom."""
    (f, i, g, o), top, row, low, end, up = LSTM, CONVEYOR, 224, 266, 698, 750
    ports = [("forget", f), ("input", i), ("candidate", g), ("output", o)]
    shown = [[(end, low + NODE), (end, HIDDEN), (TO, HIDDEN)], [(up, HIDDEN), (up, UP)]]
    after = pen.wires("cell", [(g + NODE, top), (TO, top)], [(end, top), (end, 157)])
    squashed = pen.wires("exposed", [(end, 193), (end, low - NODE)])
    return [
        pen.track(top),
        pen.quantity("cell_before", pen.wires("cell_before", [(FROM, top), (f - NODE, top)])),
        pen.quantity("hidden_before", pen.feeds("hidden_before", [(FROM, HIDDEN)], _ports(ports, -PORT))),
        pen.quantity("x", *_input_wires(pen, 160, _ports(ports, PORT))),
        pen.gate("forget", "f_t", _("forget"), f, [(f, BOX_TOP), (f, top + NODE)]),
        pen.gate("input", "i_t", _("input"), i, [(i, BOX_TOP), (i, row), (g - NODE, row)]),
        pen.gate("candidate", "g_t", _("candidate"), g, [(g, BOX_TOP), (g, row + NODE)]),
        pen.gate("output", "o_t", _("output"), o, [(o, BOX_TOP), (o, low), (end - NODE, low)]),
        pen.quantity("kept", pen.wires("kept", [(f + NODE, top), (g - NODE, top)]), pen.node(f, top, "×")),
        pen.quantity("written", pen.wires("written", [(g, row - NODE), (g, top + NODE)]), pen.node(g, row, "×")),
        pen.quantity("cell", after, pen.node(g, top, "+")),
        pen.quantity("exposed", squashed, pen.pill(end, 175, "tanh", pen.colour("exposed"), 74)),
        pen.quantity("hidden", pen.gap(up, top, 18), pen.wires("hidden", *shown), pen.node(end, low, "×")),
    ]


def _gru(pen: Pen) -> list[str]:
    """Draw the hidden state as its own conveyor; reset acts on the recurrent product, as PyTorch has it."""
    (z, r, n), top, row, middle, up, product = GRU, CONVEYOR, 224, (BOX_TOP + BOX_END) / 2, 746, 536
    one = (z + n) / 2
    recurrent = [*_ports([("update", z), ("reset", r)], -PORT), ("reset", (product, middle + NODE))]
    fed = _ports([("update", z), ("reset", r), ("candidate", n - PORT)], PORT)
    before = pen.wires("hidden_before", [(FROM, top), (z - NODE, top)])
    reset = [(product + NODE, middle), (n - BOX / 2 - 2, middle)]
    rest, colour = 1 - pen.values["update"], pen.colour("update")
    replaces = wires([[(one + 100, row), (n - NODE, row)]], colour, min(abs(rest), 1.0))
    turned = replaces + pen.pill(one, row, maths("1 − z_t = ") + number(rest), colour, 200)
    return [
        pen.track(top),
        pen.quantity("hidden_before", before, pen.feeds("hidden_before", [(146, top), (146, HIDDEN)], recurrent)),
        pen.quantity("x", *_input_wires(pen, 176, fed)),
        pen.gate("reset", "r_t", _("reset"), r, [(r + BOX / 2, middle), (product - NODE, middle)],
                 beside=pen.wires("reset", reset) + pen.node(product, middle, "×")),
        pen.gate("update", "z_t", _("update"), z, [(z, BOX_TOP), (z, top + NODE)], [(z, row), (one - 100, row)],
                 beside=turned),
        pen.gate("candidate", "n_t", _("candidate"), n, [(n, BOX_TOP), (n, row + NODE)]),
        pen.quantity("kept", pen.wires("kept", [(z + NODE, top), (n - NODE, top)]), pen.node(z, top, "×")),
        pen.quantity("written", pen.wires("written", [(n, row - NODE), (n, top + NODE)]), pen.node(n, row, "×")),
        pen.quantity("hidden", pen.wires("hidden", [(n + NODE, top), (TO, top)], [(up, top), (up, UP)]),
                     pen.node(n, top, "+")),
    ]  # fmt: skip


def _rnn(pen: Pen) -> list[str]:
    """Draw the one box that rewrites the whole state."""
    left, right, up, below = 265, 605, 716, (435, RNN_BOTTOM + 48)
    lines = [pen.squash, maths("W_{ih} x_t + W_{hh} h_{t−1} + b_{}"), markup(_("rewritten at every step"))]
    after = pen.wires("hidden", [(right, ROW), (TO, ROW)], [(up, ROW), (up, UP)])
    return [
        pen.quantity("hidden_before", pen.wires("hidden_before", [(FROM, ROW), (left - 2, ROW)])),
        pen.quantity("x", pen.wires("x", [below, (below[0], ROW + 62)]), pen.reading(below[0], below[1] - 10)),
        pen.quantity("hidden", after, pen.box(left, right, lines)),
    ]


def _ports(centres: Sequence[tuple[str, float]], aside: float) -> list[tuple[str, Point]]:
    return [(gate, (centre + aside, BOX_END + 2)) for gate, centre in centres]


def _input_wires(pen: Pen, x: float, ports: Sequence[tuple[str, Point]]) -> list[str]:
    """Return the input's wires: from below to the gates, across the hidden state's wire."""
    gaps = "".join(pen.gap(port[0], HIDDEN, 12) for _gate, port in ports if port[0] < GRU[-1])
    return [gaps, pen.feeds("x", [(x, BOTTOM + 48), (x, INPUT)], ports), pen.reading(x, BOTTOM + 38)]


class Diagram(NamedTuple):
    """How a cell is drawn: its parts, the lower edge of the frame, and the place of each wire's name."""

    draw: Callable[[Pen], list[str]]
    bottom: float
    labels: Mapping[str, Label]


#: Architecture -> its diagram.
DIAGRAMS: Mapping[str, Diagram] = types.MappingProxyType(
    {
        "rnn": Diagram(_rnn, RNN_BOTTOM, RNN_LABELS),
        "lstm": Diagram(_lstm, BOTTOM, LSTM_LABELS),
        "gru": Diagram(_gru, BOTTOM, GRU_LABELS),
    }
)
