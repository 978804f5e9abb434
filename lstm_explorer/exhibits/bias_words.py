"""Sentences beside the figures of the page Gate biases, each computed from the numbers that are drawn."""

from __future__ import annotations

import math

import numpy as np

from lstm_explorer.core.biases.grids import BiasGrid
from lstm_explorer.core.biases.maps import BiasMap, StateQuantity
from lstm_explorer.core.biases.required import RequiredBias
from lstm_explorer.core.gradients.paths import PathFlows
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE, Curve
from lstm_explorer.core.gradients.weights import StepContributions, WeightGradients
from lstm_explorer.figures.bias_map import row_of
from lstm_explorer.figures.formatting import percent, scientific
from lstm_explorer.figures.inside import gate_name
from lstm_explorer.figures.paths import Through, by_lag, factors, largest_gate, shares, taken_over
from lstm_explorer.figures.theme import NETWORK_NAMES
from lstm_explorer.locales import _

_LOG10_EXPLODES = math.log10(EXPLODES_ABOVE)
#: log10 of the factor by which a cut must lower what arrives before a gate is said to matter.
_MATTERS = math.log10(1.1)


def map_says(measured: BiasMap, quantity: StateQuantity, at: int, *, every_step: bool = False) -> str:
    """Say how much survives at the reader's own bias, how long, and where it explodes.

    Args:
        measured: The map.
        quantity: What is mapped.
        at: The row of the reader's own bias.
        every_step: Whether the loss is at every step; then more gradient further back is no explosion.
    """
    ratios, steps = measured.ratios(quantity)[:, ::-1], measured.log10_hidden.shape[2] - 1
    sentence = _(
        "**At your bias of {bias:g}**, what arrives {steps} steps back is {share} of the last step's gradient."
    ).format(bias=measured.biases[at], share=percent(float(ratios[at, -1])), steps=steps)
    gone = np.flatnonzero(ratios[at] < math.log10(1 / math.e))
    if gone.size:
        sentence += " " + _("Its memory ends (1/e) after {lag} steps.").format(lag=int(gone[0]))
    if every_step:
        return sentence + "  \n" + _("The loss is at every step: each adds gradient of its own to all before it.")
    explode = np.flatnonzero(ratios[:, -1] > _LOG10_EXPLODES)
    if explode.size:
        sentence += "  \n" + _(
            "The first bias that **explodes** is {bias:g}: more than {times:g} times as much arrives."
        ).format(bias=measured.biases[int(explode[0])], times=EXPLODES_ABOVE)
    return sentence


def grid_says(grid: BiasGrid, quantity: StateQuantity, at: tuple[float, float]) -> str:
    """Say what survives nearest to the reader's settings, and how much of the map explodes."""
    ratios = grid.ratios(quantity)
    row, column = row_of(grid.biases, at[0]), row_of(grid.positions, at[1])
    return _(
        "Nearest to your settings, {share} of the gradient survives. {exploding:.0%} of this map explodes."
    ).format(share=percent(float(ratios[row, column])), exploding=float((ratios > _LOG10_EXPLODES).mean()))


def required_says(need: RequiredBias, network: str) -> str:
    """Say the three answers."""
    sentences = [
        _("**By closed form: {bias:.2f}.** Then σ(b) to the power of {lag} is {share}.").format(
            bias=need.closed_form, lag=need.lag, share=percent(math.log10(need.share))
        )
    ]
    if need.measured is None:
        sentences.append(_("**By measurement: none** from −10 to 10 is enough on your settings."))
    else:
        sentences.append(
            _("**By measurement: {bias:.2f}** is the smallest at which the total of your {network} suffices.").format(
                bias=need.measured, network=NETWORK_NAMES[network]
            )
        )
    if need.falls_below is not None:
        sentences.append(_("At {bias:g} it falls below that share again.").format(bias=need.falls_below))
    sentences.append(
        _("**Chrono** draws every unit's bias between {lowest:.2f} and {highest:.2f}, median {median:.2f}.").format(
            **need.chrono._asdict()
        )
    )
    if need.explodes is not None:
        sentences.append(
            _("The first bias above that **explodes** on your settings is {bias:g}.").format(bias=need.explodes)
        )
    return "  \n".join(sentences)


def both_say(bias: float, one: Curve, both: Curve) -> str:
    """Say what filling both vectors does to what arrives."""
    return _(
        "Filling both vectors with {bias:g} gives an effective bias of **{both:g}**: {arrives} of the gradient reaches "
        "step 0 instead of {one}."
    ).format(bias=bias, both=2 * bias, arrives=percent(both.log10_ratio), one=percent(one.log10_ratio))


def reading_paths(through: Through) -> str:
    """Say how the paths are to be read."""
    texts = {
        "only": _(
            "A path that is cut stays cut on the way back only: h.detach() before the other gates. The states are the "
            "same. What arrives by single gates does not add up to the total: most ways go through several. A gate "
            "whose line lies on that of the cell path adds nothing alone."
        ),
        "without": _(
            "Each line is the total with h cut before one gate. The further a line lies below the total, the more of "
            "the gradient needs that gate. The gaps do not add up: a way through two gates is missing from both."
        ),
        "split": _(
            "At each step dL/dc is the sum of what comes along the cell and of what comes by h through each gate of "
            "the next step. The lines are their shares in the direction of the total; at every step they sum to 1. "
            "Below 0, a part points against the total. At step 0 there is the cell alone: h₀ is an input of its own."
        ),
    }
    return texts[through]


def paths_say(flows: PathFlows, through: Through) -> str:
    """Say how much comes by the cell alone, and which gate the rest needs most; or how a step is shared out."""
    if through == "split":
        mean = {name: float(np.nanmean(share)) for name, share in shares(flows).items()}
        gates = sum(share for name, share in mean.items() if name not in ("cell", "loss"))
        return _(
            "On average {cell:.0%} of each step comes along the cell and {gates:.0%} by h through the gates. What "
            "joins at each step adds up on the way."
        ).format(cell=mean["cell"], gates=round(gates, 2) + 0.0)  # no -0%
    total, alone = float(by_lag(flows.total)[-1]), float(by_lag(flows.cell_alone)[-1])
    gate = largest_gate(flows)
    left = float(by_lag(flows.without[gate])[-1])
    arrives = _("{total} of the gradient reaches step 0, {alone} by the cell alone.").format(
        total=percent(total), alone=percent(alone)
    )
    if not left < total - _MATTERS:
        return arrives + " " + _("No single gate matters to it: cut any one, and as much is left.")
    needs = _("It needs the **{gate}** most: cut h there, and {left} is left.")
    return arrives + " " + needs.format(gate=gate_name(gate, "lstm"), left=percent(left))


def rates_say(flows: PathFlows, gate: float | None) -> str:
    """Say the first factor, the later ones, and when the gates' path takes over."""
    of_total, lag = factors(flows.total), taken_over(flows)
    middle = of_total[len(of_total) // 2 : -1] if len(of_total) > 3 else of_total
    sentence = _("The first step back multiplies by {first:.3f}, the later ones by {later:.3f}.").format(
        first=float(of_total[0]), later=float(np.nanmedian(middle))
    )
    if gate is not None:
        sentence = _("σ(b) is {gate:.3f}.").format(gate=gate) + " " + sentence
    if lag is None:
        return sentence + " " + _("The cell path carries most of it all the way.")
    return sentence + " " + _(
        "From {lag} steps back on, more than half of what arrives has been through h and the gates: that path has "
        "taken over."
    ).format(lag=lag)  # fmt: skip


def weights_say(measured: WeightGradients) -> str:
    """Say how much the states' gradient falls with the length, and how little the weights'."""
    states = measured.log10_hidden.flatten(1).double().median(dim=1).values
    norms = measured.log10_weight_hh.double().median(dim=1).values.amax(dim=1)
    return _(
        "From {short} to {long} steps, |dL/dh₀| changes by a factor of {states}, and the largest |dL/dW_hh| by "
        "{weights}."
    ).format(
        short=measured.lengths[0],
        long=measured.lengths[-1],
        states=scientific(float(states[-1] - states[0])),
        weights=scientific(float(norms[-1] - norms[0])),
    )


def contributions_say(measured: StepContributions) -> str:
    """Say how few steps fill the gradient of the weights."""
    norms = measured.log10_norm.double().amax(dim=1).median(dim=0).values
    sizes = 10.0 ** (norms - norms.max())
    last = int((sizes.flip(0).cumsum(0) / sizes.sum() < 0.9).sum()) + 1
    return _("The last {last} of {steps} steps give nine tenths of it.").format(last=last, steps=len(norms))
