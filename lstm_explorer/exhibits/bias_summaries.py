"""Sentences beside the figures of the page Gate biases, each computed from the numbers that are drawn."""

from __future__ import annotations

import math

import numpy as np

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.biases.grids import BiasGrid
from lstm_explorer.core.biases.maps import BiasMap
from lstm_explorer.core.biases.norms import StateQuantity
from lstm_explorer.core.biases.required import RequiredBias
from lstm_explorer.core.gradients.paths import PathFlows
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE, Curve
from lstm_explorer.core.gradients.weights import StepContributions, WeightGradients
from lstm_explorer.figures.bias_map import memory_of, row_of
from lstm_explorer.figures.formatting import percent, scientific
from lstm_explorer.figures.names import gate_name, network_name
from lstm_explorer.figures.paths import Through, by_lag, crossover_lag, factors, largest_gate, shares
from lstm_explorer.locales import _

_LOG10_EXPLODES = math.log10(EXPLODES_ABOVE)
#: A gate matters if a cut before it lowers what arrives by more than this, log10.
_MATTERS = math.log10(1.1)


def map_summary(measured: BiasMap, quantity: StateQuantity, at: int, *, every_step: bool = False) -> str:
    """Return how much survives at the reader's own bias, for how long, and where it explodes.

    Args:
        measured: The map.
        quantity: What is mapped.
        at: The row of the reader's own bias.
        every_step: Whether the loss is at every step; then a larger gradient further back is no explosion.
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
    explodes = first_exploding(measured, quantity, steps)
    if explodes is not None:
        sentence += "  \n" + _(
            "The first bias that **explodes** is {bias:g}: more than {times:g} times as much arrives."
        ).format(bias=explodes, times=EXPLODES_ABOVE)
    return sentence


def first_exploding(measured: BiasMap, quantity: StateQuantity, lag: int) -> float | None:
    """Return the first bias of a map, coming from where the gate forgets, at which the gradient explodes over a lag."""
    explode = np.flatnonzero(measured.ratios(quantity)[:, -1 - lag] > _LOG10_EXPLODES)
    if not explode.size:
        return None
    keeps = architecture_named(measured.architecture).gate(measured.gate).keeps
    return measured.biases[int(explode[-1 if keeps < 0 else 0])]


def grid_summary(grid: BiasGrid, quantity: StateQuantity, at: tuple[float, float]) -> str:
    """Return what survives nearest to the reader's settings, and how much of the map explodes."""
    ratios = grid.ratios(quantity)
    row, column = row_of(grid.biases, at[0]), row_of(grid.positions, at[1])
    return _(
        "Nearest to your settings, {share} of the gradient survives. {exploding:.0%} of this map explodes."
    ).format(share=percent(float(ratios[row, column])), exploding=float((ratios > _LOG10_EXPLODES).mean()))


def required_bias_summary(need: RequiredBias, measured: BiasMap) -> str:
    """Return one recommendation and why, then what the formula and chrono initialisation say, and what each is for.

    Args:
        need: The bias that is required.
        measured: The map of the same gate on the reader's own settings; it says where these explode.
    """
    network = measured.architecture
    explodes = first_exploding(measured, memory_of(network), need.lag)
    share, seeds = percent(math.log10(need.share)), len(need.each_seed)
    enough = sorted(one for one in need.each_seed if one is not None)
    words = {
        "gate": gate_name(need.gate, network), "share": share, "lag": need.lag, "network": network_name(network),
        "seeds": seeds, "enough": len(enough), "bias": need.recommended,
    }  # fmt: skip
    if enough:
        words |= {"low": f"{enough[0]:.1f}", "high": f"{enough[-1]:.1f}"}
    if need.recommended is not None:
        sentence = _(
            "**Take {bias:g}** for the {gate}: on each of {seeds} seeds of your {network} it keeps at least {share} "
            "over {lag} steps. The first bias that is enough lies between {low} and {high}, depending on the seed."
        )
    elif enough:
        sentence = _(
            "**No one bias of the {gate} is right for every seed.** Of {seeds} seeds of your {network}, {enough} keep "
            "{share} over {lag} steps, from a bias between {low} and {high} on; where all would, it explodes. Try "
            "chrono, or ask for less."
        )
    else:
        sentence = _(
            "**No bias of the {gate} from −10 to 10 is enough** on {seeds} seeds of your {network}: ask for a shorter "
            "memory, or for less of the gradient."
        )
    sentences = [sentence.format(**words)]
    if explodes is not None:
        sentences.append(
            _(
                "The first bias that **explodes** on your settings is {bias:g}: more than {times:g} times as much "
                "arrives over {lag} steps."
            ).format(bias=explodes, times=EXPLODES_ABOVE, lag=need.lag)
        )
    if need.falls_below is not None:
        sentences.append(_("At {bias:g} it falls below that share again.").format(bias=need.falls_below))
    if math.isfinite(need.closed_form):
        formula = _("**The formula** says {bias:.1f}: it counts the biases alone, so it knows nothing of your weights.")
        sentences.append(formula.format(bias=need.closed_form))
    else:
        sentences.append(_("**The formula** has no answer: no bias of this gate alone keeps that much."))
    chrono = _(
        "**Chrono** draws every unit's bias between {lowest:.1f} and {highest:.1f} and lowers the input bias as much: "
        "for when memories of every length up to {lag} steps are needed."
    )
    sentences.append(chrono.format(lag=need.lag, lowest=need.chrono.lowest, highest=need.chrono.highest))
    return "  \n".join(sentences)


def both_vectors_summary(bias: float, one: Curve, both: Curve) -> str:
    """Return how filling both vectors changes what arrives."""
    return _(
        "Filling both vectors with {bias:g} gives an effective bias of **{both:g}**: {arrives} of the gradient reaches "
        "step 0 instead of {one}."
    ).format(bias=bias, both=2 * bias, arrives=percent(both.log10_ratio), one=percent(one.log10_ratio))


def how_to_read_paths(through: Through) -> str:
    """Return how to read the paths."""
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


def paths_summary(flows: PathFlows, through: Through) -> str:
    """Return how much arrives by the cell alone, and the gate that matters most; or the shares of one step."""
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
        return arrives + " " + _("No single gate matters: with any one of them cut, about as much arrives.")
    needs = _("It depends most on the **{gate}**: with h cut there, {left} arrives.")
    return arrives + " " + needs.format(gate=gate_name(gate, "lstm"), left=percent(left))


def rates_summary(flows: PathFlows, gate: float | None) -> str:
    """Return the first factor, the later ones, and from which lag on the gates' path carries most."""
    of_total, lag = factors(flows.total), crossover_lag(flows)
    middle = of_total[len(of_total) // 2 : -1] if len(of_total) > 3 else of_total
    sentence = _("The first step back multiplies by {first:.3f}, the later ones by {later:.3f}.").format(
        first=float(of_total[0]), later=float(np.nanmedian(middle))
    )
    if gate is not None:
        sentence = _("σ(b) is {gate:.3f}.").format(gate=gate) + " " + sentence
    if lag is None:
        return sentence + " " + _("The cell path carries most of it all the way.")
    return sentence + " " + _(
        "From {lag} steps back on, more than half of what arrives has been through h and the gates: that path then "
        "carries most of it."
    ).format(lag=lag)  # fmt: skip


def weight_gradients_summary(measured: WeightGradients) -> str:
    """Return how much the states' gradient falls with the length, and how little the weights'."""
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


def contributions_summary(measured: StepContributions) -> str:
    """Return how few steps make up most of the gradient of the weights."""
    norms = measured.log10_norm.double().amax(dim=1).median(dim=0).values
    sizes = 10.0 ** (norms - norms.max())
    last = int((sizes.flip(0).cumsum(0) / sizes.sum() < 0.9).sum()) + 1
    return _("The last {last} of {steps} steps give nine tenths of it.").format(last=last, steps=len(norms))
