"""Write a figure of curves as one PyTorch program, which prints its numbers and draws it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.gradients.summaries import Quantity
from lstm_explorer.core.inputs import TableLike, input_source
from lstm_explorer.core.scripts.network import filled, needs_math, network_code, step_code
from lstm_explorer.core.settings import Settings


@dataclass(frozen=True, eq=False, kw_only=True)
class DrawnCurve:
    """A measured curve of a figure.

    Attributes:
        name: As the table and the legend write it.
        architecture: Name of its architecture.
        settings: The experiment; its ``loss``, ``seed`` and ``num_seeds`` included.
        table: The rows read when ``input_kind="csv"``, ``(rows, input_size)``.
        quantity: Which gradient.
        layer: Whose state, from 0, or from the end where it is negative.
        relative: Whether every run is divided by its own norm at the last step.
        look: How Matplotlib draws the line: the arguments of its ``plot``.
    """

    name: str
    architecture: str
    settings: Settings
    table: TableLike | None = None
    quantity: Quantity = "hidden"
    layer: int = -1
    relative: bool = True
    look: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class DrawnLine:
    """A closed form, drawn and not printed: a constant factor per step, from 1 at the last step.

    Attributes:
        name: As the legend writes it.
        log10_rate: log10 of the factor per step.
        look: How Matplotlib draws the line: the arguments of its ``plot``.
    """

    name: str
    log10_rate: float
    look: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class DrawnAxes:
    """The axes of a figure; in titles Matplotlib reads what stands between dollars as mathematics.

    Attributes:
        x: What is drawn across.
        x_title: Title of the axis across.
        y_title: Title of the axis of norms.
        y_range: log10 of the smallest and the largest norm that is shown.
        scale: Of the axis of norms.
    """

    x: Literal["step", "lag"]
    x_title: str
    y_title: str
    y_range: tuple[float, float]
    scale: Literal["log", "linear"]


def to_figure_script(curves: Sequence[DrawnCurve], axes: DrawnAxes, lines: Sequence[DrawnLine] = ()) -> str:
    """Write a program that measures every curve of a figure with PyTorch alone, prints them, and draws them.

    It measures as the program of :func:`lstm_explorer.to_script` does, and what that one leaves out too: every layer,
    the inputs, and the cell path.

    Args:
        curves: The curves, each with exactly its settings.
        axes: What the axes show.
        lines: Closed forms beside them.

    Returns:
        The text of a program that needs only ``torch``. It prints a table as CSV, ``name, quantity, step, lag,
        log10_median, log10_lower_quartile, log10_upper_quartile``, as :func:`lstm_explorer.summarise` takes them: in
        log10, ``-inf`` for an exact zero, ``nan`` where there is no ratio. Where Matplotlib is installed it then draws
        them into ``figure.pdf``, 3.5 in wide.

    Raises:
        ValueError: There is no such architecture, a table does not suit its settings, or there is too much data to be
            written into a program.
    """
    steps: dict[str, str] = {}
    inputs: dict[str, str] = {}
    networks: dict[str, str] = {}
    entries = []
    for curve in curves:
        settings, record = curve.settings, architecture_named(curve.architecture)
        source = input_source(settings, table=curve.table)
        step = step_code(settings, record)
        made_from = f"# {record.name}, Settings.from_query({settings.to_query()!r})"
        called = {
            "step": _named(steps, step, "step"),
            "network": _named(networks, f"{made_from}\n{network_code(settings, record)}\n\nreturn layers", "network"),
            "inputs": _named(inputs, "\n\n".join([*source.literals, source.code, "return inputs"]), "inputs"),
        }
        entries.append(_entry(curve, called, states=len(record.states)))
    math_too = any(needs_math(one.settings, architecture_named(one.architecture)) for one in curves)
    functions = [code.replace("def step(", f"def {name}(", 1) for code, name in steps.items()]
    functions += [_function(name, code) for code, name in (*inputs.items(), *networks.items())]
    about = f"axes = {asdict(axes)!r}\nlines = {_literals([_line(one) for one in lines])}"
    data = f"curves = {_literals(entries)}\n{about}"
    return filled(_TOP, math="import math\n" * math_too) + "\n\n".join([*map(_spaced, functions), _spaced(data), _REST])


def _named(known: dict[str, str], code: str, kind: str) -> str:
    """Return the name of the function that holds this code; equal code is written once."""
    return known.setdefault(code, f"{kind}_{len(known) + 1}")


def _function(name: str, code: str) -> str:
    return f"def {name}(seed):\n{textwrap.indent(code, '    ')}"


def _spaced(code: str) -> str:
    return f"\n{code}"


def _entry(curve: DrawnCurve, called: Mapping[str, str], *, states: int) -> list[str]:
    """Return one curve as the items of a dict, each as code."""
    settings = curve.settings
    layer = 0 if curve.quantity == "inputs" else curve.layer % settings.num_layers
    seeds = f"range({settings.seed}, {settings.seed + settings.num_seeds})"
    return [
        f'"name": {curve.name!r},',
        f'"quantity": "{curve.quantity}", "layer": {layer}, "relative": {curve.relative},',
        ", ".join(f'"{kind}": {name}' for kind, name in called.items()) + ",",
        f'"seeds": {seeds}, "dtype": torch.{settings.dtype}, "every_step": {settings.loss == "every"},',
        f'"states": {states}, "units": {settings.hidden_size},',
        f'"look": {dict(curve.look)!r},',
    ]


def _line(line: DrawnLine) -> list[str]:
    return [f'"name": {line.name!r}, "log10_rate": {line.log10_rate!r},', f'"look": {dict(line.look)!r},']


def _literals(entries: Sequence[Sequence[str]]) -> str:
    """Return dicts as the code of a list."""
    if not entries:
        return "[]"
    items = ("    {\n" + textwrap.indent("\n".join(entry), " " * 8) + "\n    },\n" for entry in entries)
    return f"[\n{''.join(items)}]"


_TOP = """\
# Prints the curves of a figure as a table (CSV): log10 of the norm of a gradient at every step, the median over seeds
# and samples with the quartiles. That needs only torch; with matplotlib it also draws them, into figure.pdf.

import csv
${math}import sys

import torch

"""

_REST = '''
def unroll(step, layers, inputs, state):
    """Return (weights, inputs, states) of every layer, the states from step 0 to the last."""
    unrolled = []
    for weights in layers:
        states = [state]
        for x in inputs:
            states.append(advance(step, weights, states[-1], x))
        unrolled.append((weights, inputs, states))
        inputs = torch.stack([h for h, *_ in states[1:]])  # a layer reads the hidden states of the layer below
    return unrolled


def advance(step, weights, state, x):
    """Advance a layer by one step; a state is a tuple here, (h, c) or (h,)."""
    after = step(weights, state if len(state) > 1 else state[0], x)
    return after if isinstance(after, tuple) else (after,)


# A gradient leaves the range of a float: 10^-1740 is nothing unusual here. So it is kept as vectors, whose largest
# element is 1 for each sample, and beside them as log10 of all that was divided out; -inf for a gradient of zero.


def rescaled(vectors, log10):
    largest = torch.cat(vectors, dim=1).abs().amax(dim=1)
    return [vector / largest.where(largest > 0, 1.0)[:, None] for vector in vectors], log10 + largest.log10()


def with_added(vectors, log10, to_hidden, its_log10):
    """Add what else reaches the hidden state: from the loss, or from the layer above."""
    most = torch.maximum(log10, its_log10)
    share, its_share = (10 ** (one - most).nan_to_num()[:, None] for one in (log10, its_log10))  # nan: both are zero
    dh, *others = (vector * share for vector in vectors)
    return rescaled([dh + to_hidden[0] * its_share, *others], most)


def log10_norm(vector, log10):
    (vector,), log10 = rescaled([vector], log10)
    return vector.norm(dim=1).log10() + log10


def carry_back(step, weights, inputs, states, upstream, path):
    """Carry the gradient back through a layer: the gradient at step t, times the derivative of that one step.

    Returns log10 of its norms (states, steps, samples), and what reaches the inputs, step by step. Of a path by the
    cell alone the hidden state is no way back. Derivatives are taken in float64, of the states of the network as it
    is: float32 has few digits for the slope f (1 - f) of a gate that is nearly open.
    """
    weights = [weight.double() for weight in weights]
    vectors, log10 = rescaled([torch.zeros_like(state, dtype=torch.float64) for state in states[-1]], torch.zeros(1))
    norms, to_inputs = [], []
    for t in range(len(inputs), 0, -1):
        vectors, log10 = with_added(vectors, log10, *upstream[t - 1])
        x, *before = (one.detach().double().requires_grad_() for one in (inputs[t - 1], *states[t - 1]))
        h, *others = before
        after = advance(step, weights, (h.detach() if path else h, *others), x)
        # c_t reaches the loss by c_{t+1} and by h_t: autograd adds both up in the gradient of c_t.
        dx, *found = torch.autograd.grad(after, (x, *before, *after), vectors, materialize_grads=True)
        vectors, here = found[: len(before)], found[len(before) :]
        norms.append(torch.stack([log10_norm(vector, log10) for vector in here]))
        to_inputs.append(rescaled([dx], log10))
    norms.append(torch.stack([log10_norm(vector, log10) for vector in vectors]))
    return torch.stack(norms[::-1], dim=1), to_inputs[::-1]


def log10_norms(curve, seed):
    """Return log10 of the norms of one curve for one seed, (steps, samples)."""
    torch.set_default_dtype(curve["dtype"])
    layers, inputs = curve["network"](seed), curve["inputs"](seed)
    start = (torch.zeros(inputs.shape[1], curve["units"]),) * curve["states"]
    ones = torch.ones_like(start[0], dtype=torch.float64)
    loss, nothing = rescaled([ones], 0.0), rescaled([0 * ones], 0.0)
    upstream = [loss if curve["every_step"] else nothing] * (len(inputs) - 1) + [loss]
    quantity, unrolled = curve["quantity"], unroll(curve["step"], layers, inputs, start)
    for layer in reversed(unrolled[curve["layer"] :]):
        norms, upstream = carry_back(curve["step"], *layer, upstream, path=quantity == "cell_path")
    if quantity == "inputs":
        return torch.stack([log10_norm(dx, log10) for (dx,), log10 in upstream])
    return norms[0 if quantity == "hidden" else 1]


def quartiles(curve):
    """Return median, first and third quartile over seeds and samples, always of one of them, (3, steps)."""
    runs = torch.cat([log10_norms(curve, seed) for seed in curve["seeds"]], dim=1)
    if curve["relative"]:
        last = runs[-1]
        runs = runs - last.where(last > -torch.inf, torch.nan)  # whose last gradient is exactly zero has no ratio
    ranks = [round(share * (runs.shape[1] - 1)) for share in (0.5, 0.25, 0.75)]
    chosen = runs.sort(dim=1).values[:, ranks]
    return chosen.where(~runs.isnan().any(dim=1, keepdim=True), torch.nan).T


def draw(measured):
    """Draw the curves as wide as a column of a paper."""
    import logging

    import matplotlib.font_manager
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    korean = {"Noto Sans CJK KR", "Noto Sans KR", "Malgun Gothic", "Apple SD Gothic Neo", "NanumGothic"}
    korean &= {font.name for font in matplotlib.font_manager.fontManager.ttflist}
    matplotlib.rcParams.update({"font.size": 8, "font.family": ["DejaVu Sans", *sorted(korean)], "pdf.fonttype": 42})
    figure = Figure(figsize=(3.5, 2.4 + 0.15 * len([*curves, *lines])), layout="constrained")
    panel = figure.add_subplot(xlabel=axes["x_title"], ylabel=axes["y_title"])

    def height(log10):
        log10 = torch.as_tensor(log10)
        return (log10.where(log10.isfinite(), torch.nan) if axes["scale"] == "log" else 10**log10).tolist()

    def label(one):
        # The space before it: matplotlib hides a name that begins with "_", and reads mathematics between dollars.
        return " " + one["name"].replace("$", r"\\$")

    for curve, (steps, lags, (median, lower, upper)) in zip(curves, measured):
        x = steps if axes["x"] == "step" else lags
        panel.fill_between(x, height(lower), height(upper), color=curve["look"]["color"], alpha=0.16, linewidth=0)
        panel.plot(x, height(median), label=label(curve), **curve["look"])
    for line in lines:
        y = height([line["log10_rate"] * lag for lag in lags])
        panel.plot(x, y, label=label(line), zorder=1, **line["look"])
    if axes["scale"] == "log":
        panel.set_ylim(axes["y_range"])
        panel.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        panel.yaxis.set_major_formatter(lambda y, _: "1" if y == 0 else f"$10^{{{y:.0f}}}$")
    figure.legend(loc="outside upper left", frameon=False, fontsize=7)
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it tells which parts of a font it leaves out
    figure.savefig("figure.pdf")


sys.stdout.reconfigure(encoding="utf-8")
table = csv.writer(sys.stdout, lineterminator="\\n")
table.writerow("name quantity step lag log10_median log10_lower_quartile log10_upper_quartile".split())
measured = []
for curve in curves:
    log10 = quartiles(curve)
    first = 1 if curve["quantity"] == "inputs" else 0  # input 1 is the first; state 0 is before it
    steps = range(first, first + log10.shape[1])
    lags = [steps[-1] - step for step in steps]
    measured.append((list(steps), lags, log10))
    for step, lag, numbers in zip(steps, lags, log10.T.tolist()):
        table.writerow([curve["name"], curve["quantity"], step, lag, *(f"{number:.10f}" for number in numbers)])
try:
    draw(measured)
except ImportError as error:
    print(f"No figure.pdf: {error}.", file=sys.stderr)
'''
