"""The exhibit of what would survive in a network of one's own with another bias of its memory gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.figures.bias_map import bias_map_spec, memory_of, plot_bias_map
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.names import gate_name
from lstm_explorer.locales import _
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Map

#: What is added to a bias in the map of it.
ADDED = tuple(step / 4 for step in range(-16, 17))


def added_biases(
    runner: Runner, one: Experiment, gate: str, *, name: str, biases: Sequence[float] = ADDED
) -> Exhibit | None:
    """Return the map of the surviving gradient over what is added to a gate's bias.

    Args:
        runner: Does the measurement.
        one: The network, with what it reads.
        gate: One of its gates.
        name: The exhibit's.
        biases: What is added, -1, 0 and 1 among it.
    """
    measured = runner.run(Map(experiment=one, gate=gate, biases=tuple(biases)))
    if measured is None:
        return None
    quantity, there = memory_of(one.architecture), measured.biases
    ratios = measured.ratios(quantity)[:, 0]  # of as many biases as are measured by now
    said = {added: percent(float(ratio)) for added, ratio in zip(there, ratios, strict=True)}
    says = _(
        "As it is, {now} of the gradient arrives {steps} steps back; with 1 added to the bias of the {gate} it would "
        "be {more}, with 1 taken away {less}."
    ).format(
        now=said.get(0.0, "…"), more=said.get(1.0, "…"), less=said.get(-1.0, "…"), steps=one.steps,
        gate=gate_name(gate, one.architecture),
    )  # fmt: skip
    drawn: dict[str, Any] = {"settings": None, "quantity": quantity, "bias": 0.0}
    return Exhibit(
        name=name,
        title=_("What would survive with another bias of the {gate}").format(gate=gate_name(gate, one.architecture)),
        alt=_("Map of the surviving gradient over the bias that is added, and steps back. {says}").format(says=says),
        how_to_read=_(
            "Upwards is what is added to the bias of the gate, the same for every unit; 0 is the network as it is. "
            "Across: steps back from the loss. Full colour is all of the gradient, blank less than "
            "10⁻⁸, violet more than left the loss. The network is not trained on from there."
        ),
        summary=says,
        settings=one.settings,
        experiments=(),
        draw=lambda theme: plot_bias_map(measured, theme=theme, **drawn),
        spec=lambda theme: bias_map_spec(measured, theme=theme, **drawn),
        numbers=measured.to_frame,
    )
