"""The exhibits of the page Inside the cell: the diagram, the traces over time, and the heat map of a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.by_hand import Phase, run_by_hand
from lstm_explorer.core.engine.trajectory import Trajectory
from lstm_explorer.core.record import choice, number, text
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.by_hand import by_hand_numbers, by_hand_summary
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.labels import escaped_labels, labels
from lstm_explorer.exhibits.view import View
from lstm_explorer.exhibits.walk import walk
from lstm_explorer.figures import inside
from lstm_explorer.figures.by_hand import plot_by_hand
from lstm_explorer.figures.cell import DIAGRAMS, cell_values, plot_cell
from lstm_explorer.figures.inside import along_time, gradient_along_time, plot_gate_heatmap, plot_inside
from lstm_explorer.figures.names import gate_name, parts
from lstm_explorer.figures.theme import template, theme_of
from lstm_explorer.locales import _, translated
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Flow, Unrolled

_RECORDS = [architecture_named(name) for name in DIAGRAMS]
_PARTS = tuple(dict.fromkeys(part for name in DIAGRAMS for part in parts(name)))
_STAGES = ("all", *dict.fromkeys(stage.name for record in _RECORDS for stage in record.stages))

#: Frames of the diagram's animation at most, evenly spaced over the steps; milliseconds per frame.
_FRAMES, _FRAME_MS = 48, 350

#: Most phases of the cell by hand: no challenge needs more, and no phone has room for more.
MOST_PHASES = 3

#: Steps to either side whose diagrams are sent with the current one.
_NEAR = 4


def phases_of(text: str) -> list[Phase]:
    """Read the phases of the cell by hand.

    Args:
        text: As ``until:input,forget,output,value`` joined by ``;``.

    Raises:
        ValueError: There are more than :data:`MOST_PHASES`, or they are none that the cell can run.
    """
    try:
        return _phases(text)
    except ValueError as error:
        raise ValueError(
            f"hand is {text[:40]!r}: expected up to {MOST_PHASES} phases until:input,forget,output,value joined by ;, "
            f"such as '1:1,0,1,1;100:0,0.9,1,0'. {error}"
        ) from error


def _phases(text: str) -> list[Phase]:
    phases, parts_of_text = [], text.split(";", MOST_PHASES)
    if len(parts_of_text) > MOST_PHASES:
        raise ValueError("There are more.")
    for part in parts_of_text:
        until, _colon, rest = part.partition(":")
        i, f, o, g = map(float, rest.split(","))
        phases.append(Phase(until=int(until), input=i, forget=f, output=o, value=g))
    run_by_hand(phases)
    return phases


@dataclass(frozen=True, kw_only=True)
class InsideView(View):
    """Which cell is drawn, at which step and unit, and what of it."""

    network: str = choice("lstm", tuple(DIAGRAMS))
    step: int = number(10, 1, 2000)
    unit: int = number(0, -1, 255)
    stage: str = choice("all", _STAGES)
    depth: int = number(1, 1, 4)
    part: str = choice("forget", _PARTS)
    hand: str = text("1:1,0,1,1;100:0,0.8,1,0", reader=phases_of)
    challenge: Literal["none", "hold", "leak", "erase", "overwrite", "hide"] = "none"


def single(runner: Runner, settings: Settings, view: InsideView) -> Experiment:
    """Return the experiment with one replica and one sample, as the diagram draws them."""
    one = settings.replace(num_seeds=1, batch_size=1)
    return Experiment(architecture=view.network, settings=one, table=runner.table, moment=runner.moment)


def unrolled(runner: Runner, settings: Settings, view: InsideView) -> Trajectory | None:
    """Return every state and gate of the network; None where the runner has shown why not."""
    return runner.run(Unrolled(experiment=single(runner, settings, view)))


def place(trajectory: Trajectory, view: InsideView) -> tuple[int, int, int | None]:
    """Return step, layer (from 0) and unit (from 0, None for the mean): the view's, limited to what the network has."""
    layers, steps, _samples, units = trajectory.hidden.shape
    unit = min(view.unit, units - 1)
    return min(view.step, steps - 1), min(view.depth, layers) - 1, unit if unit >= 0 else None


def stages(network: str) -> dict[str, str]:
    """Return the stages of a network's step, by their names on buttons, in the order of the lesson."""
    return {stage.name: translated(stage.label) for stage in architecture_named(network).stages}


def stage_of(view: InsideView) -> str | None:
    """Return the chosen stage of the walk, None for all of the cell."""
    return view.stage if view.stage in stages(view.network) else None


def part_of(view: InsideView) -> str:
    """Return the gate or state of the heat map; one that the architecture lacks becomes its hidden state."""
    return view.part if view.part in parts(view.network) else "hidden"


def diagram(runner: Runner, settings: Settings, view: InsideView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the cell as a diagram at one step; exported as a page it is an animation over the steps."""
    one, trajectory = single(runner, settings, view), unrolled(runner, settings, view)
    if trajectory is None:
        return None
    step, layer, unit = place(trajectory, view)
    values = cell_values(trajectory, step=step, layer=layer, unit=unit)
    reads = labels(one)

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
            nonlinearity=one.settings.nonlinearity,
        )

    return Exhibit(
        name="cell",
        title=_("Inside the {network}, step {step}").format(network=one.name, step=step),
        alt=_("Diagram of one {network} cell with its numbers at step {step}.").format(network=one.name, step=step),
        how_to_read=_(
            "Every line and box is as thick and as strong as its value at this step. Point at one, or reach it with "
            "the Tab key, for its meaning and shape."
        ),
        summary=_step_summary(view, values, step, units=one.settings.hidden_size if unit is None else None),
        settings=one.settings,
        experiments=(one,),
        draw=lambda theme: _animation(lambda at: svg(theme, at), step, trajectory.hidden.shape[1] - 1, theme),
        numbers=partial(_values_table, trajectory, layer, unit),
        view=view,
        neighbours=lambda theme: {at: svg(theme, at) for at in _steps_around(step, trajectory.hidden.shape[1] - 1)},
    )


def _steps_around(step: int, last: int) -> list[int]:
    """Return the step, then those that a key held down may reach before the next run."""
    return [step, *(at for at in range(max(step - _NEAR, 1), min(step + _NEAR, last) + 1) if at != step)]


def traces(runner: Runner, settings: Settings, view: InsideView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return gates, states and the gradient over time."""
    one, trajectory = single(runner, settings, view), unrolled(runner, settings, view)
    flow = runner.run(Flow(experiment=one, units=True))
    if trajectory is None or flow is None:
        return None
    step, layer, unit = place(trajectory, view)
    reads = escaped_labels(one)
    gradient = gradient_along_time(flow, layer=layer, unit=unit)["total"]
    return Exhibit(
        name="traces",
        title=_("Gates, states and gradient of the {network} over time").format(network=one.name),
        alt=_("Gates, states and gradient of the {network}, step by step.").format(network=one.name),
        how_to_read=_(
            "Above the gates, then the states, beneath the gradient of the loss at each step, all on one time axis; "
            "the upright line is the step of the diagram. Where a forget gate falls, the dotted line beneath falls "
            "with it: that gate cut the gradient there."
        ),
        summary=_gradient_summary(gradient),
        settings=one.settings,
        experiments=(one,),
        draw=lambda theme: plot_inside(trajectory, flow, step=step, layer=layer, unit=unit, reads=reads, theme=theme),
        numbers=partial(_traces_table, trajectory, flow, layer, unit),
        view=view,
    )


def gate_map(runner: Runner, settings: Settings, view: InsideView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return one gate or state of every unit over time."""
    one, trajectory = single(runner, settings, view), unrolled(runner, settings, view)
    if trajectory is None:
        return None
    step, layer, unit = place(trajectory, view)
    part = part_of(view)
    table = along_time(trajectory, layer=layer, unit=None)[part]
    return Exhibit(
        name="gate_map",
        title=_("{part} of every unit of the {network}").format(part=gate_name(part, view.network), network=one.name),
        alt=_("Heat map: {part} of every unit, step by step.").format(part=gate_name(part, view.network)),
        how_to_read=_(
            "Each row is a unit, each column a step; the upright line is the step of the diagram. Click on a point to "
            "look at that unit and step."
        ),
        summary=_("{part}: the mean over units and steps is {mean:.2f}.").format(
            part=gate_name(part, view.network), mean=float(np.mean(table))
        ),
        settings=one.settings,
        experiments=(one,),
        draw=lambda theme: plot_gate_heatmap(trajectory, part, step=step, layer=layer, unit=unit, theme=theme),
        numbers=partial(_units_table, trajectory, part, layer),
        view=view,
    )


def by_hand(runner: Runner, settings: Settings, view: InsideView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the scalar cell whose gates the reader sets."""
    run = run_by_hand(phases_of(view.hand))
    return Exhibit(
        name="by_hand",
        title=_("One cell by hand"),
        alt=_("What a cell with one unit holds and shows, and how much of the gradient gets back. {says}").format(
            says=by_hand_summary(run)
        ),
        how_to_read=_(
            "Above, what the cell holds (c) and shows (h), with its gates. Beneath, how much a change of c at each "
            "step still moves c at the last one: the product of the forget gates from there on. Grey is f to the power "
            "of the steps."
        ),
        summary=by_hand_summary(run),
        settings=settings,
        experiments=(),
        draw=lambda theme: plot_by_hand(run, theme=theme),
        numbers=partial(by_hand_numbers, run),
        view=view,
    )


def text_of(phases: Sequence[Phase]) -> str:
    """Return phases as they stand in an address."""
    return ";".join(f"{p.until}:{p.input:g},{p.forget:g},{p.output:g},{p.value:g}" for p in phases)


def _animation(svg: Any, step: int, last: int, theme: str) -> go.Figure:
    """Return the diagram as an animation with a slider and a play button."""
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


def _step_summary(view: InsideView, values: Mapping[str, float], step: int, *, units: int | None) -> str:
    """Return what the chosen stage does, with this step's numbers; of all stages, one sentence."""
    stage = stage_of(view)
    if stage is None:
        sentence = translated(architecture_named(view.network).step_summary).format(step=step, **values)
        return sentence.replace("(-", "(−")
    here = walk(view.network, stage, values, units=units)
    return f"**{here.title}.** {here.text}  \n{here.plain}"


def _gradient_summary(log10: NDArray[np.float64]) -> str:
    """Return where the gradient has fallen to a half and to a thousandth, counted back from the last step."""
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
    array = inside.part_of(trajectory, part)[layer, :, 0].double().numpy()
    first = trajectory.hidden.shape[1] - len(array)  # no gate made step 0
    step, unit = (index.ravel() for index in np.indices(array.shape))
    return pd.DataFrame({"name": part, "step": step + first, "unit": unit, "value": array.ravel()})
