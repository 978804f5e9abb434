"""The exhibits of the page Inside the cell: the diagram, the traces along time, and the heat map of a gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.by_hand import Phase, run_by_hand
from lstm_explorer.core.engine.trajectory import Trajectory
from lstm_explorer.core.inputs.kinds import step_labels
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.exhibits.exhibit import Bench, Exhibit, Experiment
from lstm_explorer.exhibits.view import View, number
from lstm_explorer.figures.by_hand import by_hand_numbers, by_hand_says, plot_by_hand
from lstm_explorer.figures.cell import STAGES, cell_values, plot_cell
from lstm_explorer.figures.inside import (
    along_time,
    gate_name,
    gradient_along_time,
    plot_gate_heatmap,
    plot_inside,
)
from lstm_explorer.figures.theme import NETWORK_NAMES, template, theme_of
from lstm_explorer.locales import _, translated

#: Frames of the diagram's film: about so many steps of the sequence, evenly spaced.
_FRAMES, _FRAME_MS = 48, 350

#: Steps to either side whose diagrams travel along with the one shown.
_NEAR = 4

Part = Literal["input", "forget", "candidate", "output", "reset", "update", "cell", "hidden"]
StageName = Literal["all", "forget", "candidate", "input", "update", "output", "reset", "new", "rewrite"]


@dataclass(frozen=True, kw_only=True)
class InsideView(View):
    """Which cell is looked into, where, and at what."""

    network: Architecture = "lstm"
    step: int = number(1, 1, 2000)
    unit: int = number(0, -1, 255)
    stage: StageName = "all"
    depth: int = number(1, 1, 4)
    part: Part = "forget"
    hand: str = "1:1,0,1,1;100:0,0.9,1,0"
    challenge: Literal["none", "hold", "leak", "erase", "overwrite", "hide"] = "none"


def single(settings: Settings) -> Settings:
    """Return the settings of one replica and sample, which is what can be looked into."""
    return settings.replace(num_seeds=1, batch_size=1)


def place(trajectory: Trajectory, view: InsideView) -> tuple[int, int, int | None]:
    """Return step, layer (from 0) and unit (from 0, None for the mean), as near to the view as the network allows."""
    layers, steps, _samples, units = trajectory.hidden.shape
    unit = min(view.unit, units - 1)
    return min(view.step, steps - 1), min(view.depth, layers) - 1, unit if unit >= 0 else None


def stage_of(view: InsideView) -> str | None:
    """Return the stage that the walk is at, None for all of the cell."""
    return view.stage if view.stage in STAGES[view.network] else None


def part_of(view: InsideView) -> str:
    """Return the gate or state shown unit by unit; one that the architecture lacks becomes its hidden state."""
    return view.part if view.part in parts(view.network) else "hidden"


def parts(network: str) -> tuple[str, ...]:
    """Return the gates and states of an architecture, in PyTorch's words."""
    known = {
        "lstm": ("forget", "input", "candidate", "output", "cell", "hidden"),
        "gru": ("reset", "update", "candidate", "hidden"),
        "rnn": ("hidden",),
    }
    return known[network]


def reads_of(bench: Bench, settings: Settings) -> tuple[str, ...]:
    """Return what is read at each step, as it is; empty for generated signals."""
    table = bench.table() if settings.input_kind == "csv" else None
    labels = step_labels(settings, table=table, translate=translated)
    return tuple(labels) if any(labels) else ()


def diagram(bench: Bench, settings: Settings, view: InsideView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the cell as a diagram at one step; taken home as a page it becomes a film over the steps."""
    settings = single(settings)
    trajectory = bench.trajectory(settings, view.network)
    if trajectory is None:
        return None
    step, layer, unit = place(trajectory, view)
    values = cell_values(trajectory, step=step, layer=layer, unit=unit)
    reads, name = reads_of(bench, settings), NETWORK_NAMES[view.network]

    def svg(theme: str, at: int) -> str:
        read = reads[at - 1] if reads else ""
        return plot_cell(
            trajectory,
            step=at,
            layer=layer,
            unit=unit,
            stage=stage_of(view),
            reads=read,
            theme=theme,
            nonlinearity=settings.nonlinearity,
        )

    return Exhibit(
        name="cell",
        title=_("Inside the {network}, step {step}").format(network=name, step=step),
        alt=_("Diagram of one {network} cell with its numbers at step {step}.").format(network=name, step=step),
        read=_(
            "Every line and box is as thick and as strong as its value at this step. Point at one, or reach it with "
            "the Tab key, for its meaning and shape."
        ),
        says=_values_say(view.network, values, step),
        settings=settings,
        experiments=(Experiment(name=name, architecture=view.network, settings=settings),),
        draw=lambda theme: _film(lambda at: svg(theme, at), step, trajectory.hidden.shape[1] - 1, theme),
        numbers=partial(_values_table, trajectory, layer, unit),
        view=view,
        near=lambda theme: {at: svg(theme, at) for at in _around(step, trajectory.hidden.shape[1] - 1)},
    )


def _around(step: int, last: int) -> list[int]:
    """Return the step, then those that a key held down may come to before the next run."""
    return [step, *(at for at in range(max(step - _NEAR, 1), min(step + _NEAR, last) + 1) if at != step)]


def traces(bench: Bench, settings: Settings, view: InsideView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return gates, states and the gradient along time."""
    settings = single(settings)
    trajectory, flow = bench.trajectory(settings, view.network), bench.flow(settings, view.network, units=True)
    if trajectory is None or flow is None:
        return None
    step, layer, unit = place(trajectory, view)
    reads = tuple(map(escape, reads_of(bench, settings)))
    name = NETWORK_NAMES[view.network]
    gradient = gradient_along_time(flow, layer=layer, unit=unit)["total"]
    return Exhibit(
        name="traces",
        title=_("Gates, states and gradient of the {network} along time").format(network=name),
        alt=_("Gates, states and gradient of the {network}, step by step.").format(network=name),
        read=_(
            "Above the gates, then the states, beneath the gradient of the loss at each step, all on one time axis; "
            "the upright line is the step of the diagram. Where a forget gate falls, the dotted line beneath falls "
            "with it: that gate cut the gradient there."
        ),
        says=_gradient_says(gradient),
        settings=settings,
        experiments=(Experiment(name=name, architecture=view.network, settings=settings),),
        draw=lambda theme: plot_inside(trajectory, flow, step=step, layer=layer, unit=unit, reads=reads, theme=theme),
        numbers=partial(_traces_table, trajectory, flow, layer, unit),
        view=view,
    )


def gate_map(bench: Bench, settings: Settings, view: InsideView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return one gate or state of every unit along time."""
    settings = single(settings)
    trajectory = bench.trajectory(settings, view.network)
    if trajectory is None:
        return None
    step, layer, unit = place(trajectory, view)
    part, name = part_of(view), NETWORK_NAMES[view.network]
    table = along_time(trajectory, layer=layer, unit=None)[part]
    return Exhibit(
        name="gate_map",
        title=_("{part} of every unit of the {network}").format(part=gate_name(part, view.network), network=name),
        alt=_("Heat map: {part} of every unit, step by step.").format(part=gate_name(part, view.network)),
        read=_(
            "Each row is a unit, each column a step; the upright line is the step of the diagram. Click on a point to "
            "look at that unit and step."
        ),
        says=_("{part}: the mean over units and steps is {mean:.2f}.").format(
            part=gate_name(part, view.network), mean=float(np.mean(table))
        ),
        settings=settings,
        experiments=(Experiment(name=name, architecture=view.network, settings=settings),),
        draw=lambda theme: plot_gate_heatmap(trajectory, part, step=step, layer=layer, unit=unit, theme=theme),
        numbers=partial(_units_table, trajectory, part, layer),
        view=view,
    )


def by_hand(bench: Bench, settings: Settings, view: InsideView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the scalar cell whose gates the reader sets."""
    run = run_by_hand(phases_of(view.hand))
    return Exhibit(
        name="by_hand",
        title=_("One cell by hand"),
        alt=_("What a cell with one unit holds and shows, and how much of the gradient gets back. {says}").format(
            says=by_hand_says(run)
        ),
        read=_(
            "Above, what the cell holds (c) and shows (h), with its gates. Beneath, how much a change of c at each "
            "step still moves c at the last one: the product of the forget gates from there on. Grey is f to the power "
            "of the steps."
        ),
        says=by_hand_says(run),
        settings=settings,
        experiments=(),
        draw=lambda theme: plot_by_hand(run, theme=theme),
        numbers=partial(by_hand_numbers, run),
        view=view,
    )


def phases_of(text: str) -> list[Phase]:
    """Read the phases of the cell by hand; nonsense gives those that the page begins with.

    Args:
        text: As ``until:input,forget,output,value`` joined by ``;``.
    """
    try:
        return _phases(text)
    except ValueError:
        return _phases(InsideView().hand)


def text_of(phases: Sequence[Phase]) -> str:
    """Return phases as they stand in an address."""
    return ";".join(f"{p.until}:{p.input:g},{p.forget:g},{p.output:g},{p.value:g}" for p in phases)


def _phases(text: str) -> list[Phase]:
    phases = []
    for part in text.split(";"):
        until, _colon, rest = part.partition(":")
        i, f, o, g = map(float, rest.split(","))
        phases.append(Phase(until=int(until), input=i, forget=f, output=o, value=g))
    run_by_hand(phases)
    return phases


def _film(svg: Any, step: int, last: int, theme: str) -> go.Figure:
    """Return the diagram as a picture that a slider and a play button lead through the steps."""
    look = theme_of(theme)
    at = sorted({step, *np.unique(np.linspace(1, last, min(last, _FRAMES)).round().astype(int)).tolist()})
    play = {"frame": {"duration": _FRAME_MS, "redraw": True}, "transition": {"duration": 0}, "mode": "immediate"}
    stop = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    jump = {**play, "frame": {"duration": 0, "redraw": True}}
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    figure = go.Figure(
        layout={
            "template": template(look.name), "height": 640, "xaxis": hidden, "yaxis": hidden,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "images": [_image(svg(step))],
            "updatemenus": [{
                "type": "buttons", "direction": "right", "showactive": False, "x": 0, "xanchor": "left", "y": 0,
                "yanchor": "top", "pad": {"t": 8}, "bgcolor": look.background, "bordercolor": look.grid,
                "buttons": [
                    {"label": "▶ " + _("Play"), "method": "animate", "args": [None, play]},
                    {"label": _("Pause"), "method": "animate", "args": [[None], stop]},
                ],
            }],
            "sliders": [{
                "active": at.index(step), "x": 0.2, "len": 0.8, "y": 0, "yanchor": "top", "pad": {"t": 4},
                "currentvalue": {"prefix": _("step") + " "},
                "steps": [
                    {"label": str(n), "method": "animate", "args": [[str(n)], jump]} for n in at
                ],
            }],
        },
    )  # fmt: skip
    figure.frames = [{"name": str(n), "layout": {"images": [_image(svg(n))]}} for n in at]
    return figure


def _image(svg: str) -> dict[str, Any]:
    return {
        "source": "data:image/svg+xml," + quote(svg), "xref": "paper", "yref": "paper", "x": 0, "y": 1, "sizex": 1,
        "sizey": 1, "sizing": "contain", "xanchor": "left", "yanchor": "top", "layer": "below",
    }  # fmt: skip


def _values_say(network: str, values: Any, step: int) -> str:
    if network == "lstm":
        return _(
            "At step {step} the cell keeps **{forget:.0%}** of its memory and writes **{input:.0%}** of the candidate; "
            "{output:.0%} of what it holds is shown."
        ).format(step=step, **{name: values[name] for name in ("forget", "input", "output")})
    if network == "gru":
        return _("At step {step} the GRU keeps **{update:.0%}** of its state and takes the rest anew.").format(
            step=step, update=values["update"]
        )
    return _("At step {step} the RNN keeps nothing as it was: its state is written anew.").format(step=step)


def _gradient_says(log10: NDArray[np.float64]) -> str:
    """Say where the gradient has fallen to a half and to a thousandth, counted back from the last step."""
    fallen = log10 - log10[-1]
    below = {share: np.flatnonzero(fallen <= np.log10(share)) for share in (0.5, 1e-3)}
    last = len(log10) - 1
    if not np.isfinite(log10[-1]) or not below[0.5].size:
        return _("The gradient never falls to a half of what it is at the last step.")
    half = last - int(below[0.5][-1])
    if not below[1e-3].size:
        return _("The gradient has fallen to a half {half} steps back, and never to a thousandth.").format(half=half)
    return _(
        "The gradient has fallen to a half {half} steps back, and to a thousandth {thousandth} steps back."
    ).format(half=half, thousandth=last - int(below[1e-3][-1]))


def _values_table(trajectory: Trajectory, layer: int, unit: int | None) -> pd.DataFrame:
    """Return the diagram's numbers at every step as rows ``step, name, value``."""
    rows = [
        {"step": step, "name": name, "value": value}
        for step in range(1, trajectory.hidden.shape[1])
        for name, value in cell_values(trajectory, step=step, layer=layer, unit=unit).items()
    ]
    return pd.DataFrame(rows)


def _traces_table(trajectory: Trajectory, flow: Any, layer: int, unit: int | None) -> pd.DataFrame:
    """Return the traces as rows ``name, step, value``; the gradient's values are log10."""
    values = along_time(trajectory, layer=layer, unit=unit)
    gradient = gradient_along_time(flow, layer=layer, unit=unit)
    named = {**values, **{f"log10_gradient_{name}": curve for name, curve in gradient.items()}}
    last = trajectory.hidden.shape[1] - 1
    frames = [
        pd.DataFrame({"name": name, "step": np.arange(last + 1 - len(curve), last + 1), "value": curve})
        for name, curve in named.items()
    ]
    return pd.concat(frames, ignore_index=True)


def _units_table(trajectory: Trajectory, part: str, layer: int) -> pd.DataFrame:
    """Return the heat map as rows ``name, step, unit, value``."""
    gates = trajectory.gates._asdict() if trajectory.gates is not None else {}
    tensor = gates[part] if part in gates else getattr(trajectory, part)
    array = tensor[layer, :, 0].double().numpy()
    step, unit = (index.ravel() for index in np.indices(array.shape))
    return pd.DataFrame({"name": part, "step": step + (part in gates), "unit": unit, "value": array.ravel()})
