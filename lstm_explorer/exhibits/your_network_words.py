"""Sentences about a diagnosed network, each computed from its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.diagnosis.diagnose import Diagnosis
from lstm_explorer.core.diagnosis.mending import Mend
from lstm_explorer.core.diagnosis.weights import LayerWeights
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE, verdict_of
from lstm_explorer.exhibits.curve_summaries import verdict_word
from lstm_explorer.figures.formatting import percent, scientific
from lstm_explorer.figures.names import gate_name
from lstm_explorer.locales import _

#: Which share of a unit's largest gradient counts as remembering.
_REMEMBERS = 0.01


def layer_name(layer: LayerWeights) -> str:
    """Return a layer's name, with its direction where it reads backwards."""
    if layer.direction == "backward":
        return _("layer {number}, backward direction").format(number=layer.layer + 1)
    return _("layer {number}").format(number=layer.layer + 1)


def biases_summary(layer: LayerWeights, architecture: str) -> str:
    """Say where the memory gate stands, and what it keeps by its bias alone."""
    gate = architecture_named(architecture).memory_gate
    if gate is None:
        return _("This network has no gate: what it keeps is decided by its recurrent weights alone.")
    bias = layer.biases[gate.name].double()
    lower, median, upper = (float(bias.quantile(at)) for at in (0.25, 0.5, 0.75))
    kept = 1 / (1 + np.exp(-gate.keeps * median))
    half = np.log(0.5) / np.log(kept)
    return _(
        "Half of the units have a bias of the {gate} between {lower:.2f} and {upper:.2f}, the median is {median:.2f}. "
        "By that alone {kept} is kept per step, and half is gone after {half:.1f} steps."
    ).format(
        gate=gate_name(gate.name, architecture), lower=lower, upper=upper, median=median,
        kept=percent(float(np.log10(kept))), half=half,
    )  # fmt: skip


def reach_summary(diagnosis: Diagnosis, layer: int) -> str:
    """Say how far back the gradient reaches, and what a fresh network of the same size does."""
    measured = diagnosis.flow.log10_hidden.shape[1] - 1
    half, share = diagnosis.half_life(layer), percent(float(np.log10(diagnosis.share)))
    shares = diagnosis.log10_shares(layer=layer)
    verdict = verdict_word(verdict_of(float(shares[diagnosis.needs_lag])))
    halves = (
        _("half of the gradient arrives as far back as was measured, {steps} steps").format(steps=measured)
        if half is None
        else _("less than half of the gradient is left at lag {steps}").format(steps=half)
    )
    says = _(
        "**Over {lag} steps it {verdict}:** {halves}, {share} arrives up to lag {reach}, and {arrives} at lag {lag}."
    ).format(
        lag=diagnosis.needs_lag, verdict=verdict, halves=halves, share=share,
        reach=diagnosis.reach(diagnosis.share, layer), arrives=percent(float(shares[diagnosis.needs_lag])),
    )  # fmt: skip
    if diagnosis.fresh is None:
        return says
    fresh = float(diagnosis.log10_shares(layer=layer, fresh=True)[diagnosis.needs_lag])
    return says + " " + _("Of a fresh network of the same size it would be {fresh}.").format(fresh=percent(fresh))


def unit_sizes(diagnosis: Diagnosis, layer: int) -> NDArray[Any]:
    """Return log10 of the gradient of every unit of what remembers, of the first sample, ``(T + 1, H)``."""
    flow = diagnosis.flow
    sizes = flow.log10_hidden_units if flow.log10_cell_units is None else flow.log10_cell_units
    assert sizes is not None
    array: NDArray[Any] = sizes[layer, :, 0].double().numpy()
    return array


def units_sentence(diagnosis: Diagnosis, layer: int) -> str:
    """Say how many units still get a share of their gradient at the lag that is needed."""
    first = unit_sizes(diagnosis, layer)
    at = len(first) - 1 - diagnosis.needs_lag
    kept = int((first[at] >= first.max(axis=0) + np.log10(_REMEMBERS)).sum())
    return _(
        "{count} of {total} units have, {lag} steps back, at least {share} of the largest gradient that they get."
    ).format(count=kept, total=first.shape[1], lag=diagnosis.needs_lag, share=percent(float(np.log10(_REMEMBERS))))


def mend_sentences(diagnosis: Diagnosis, *, has_bias: bool) -> str:
    """Say which bias would do, or why none does."""
    record = architecture_named(diagnosis.architecture)
    share, lag = percent(float(np.log10(diagnosis.share))), diagnosis.needs_lag
    if diagnosis.arrives and diagnosis.verdict == "explodes":
        return _(
            "It explodes: {times} times the gradient arrives {lag} steps back. Make the recurrent weights smaller, "
            "lower the bias of what writes into the memory, or clip the gradient."
        ).format(times=scientific(diagnosis.log10_share), lag=lag)
    if diagnosis.arrives:
        return _("Nothing to mend: {share} or more of the gradient arrives {lag} steps back as it is.").format(
            share=share, lag=lag
        )
    gate = record.memory_gate
    if gate is None:
        return _(
            "A plain RNN has no gate to open. An LSTM or a GRU has; or begin with orthogonal or identity recurrent "
            "weights."
        )
    if not has_bias:
        return _("It was made with bias=False: there is no gate bias to raise. Build it with bias=True.")
    mend = diagnosis.mend
    name = gate_name(gate.name, diagnosis.architecture)
    if mend is None:
        return _(
            "No bias of the {gate} does it: even with 8 added, less than {share} arrives {lag} steps back. Its "
            "recurrent weights drown what the gate keeps: make them smaller, or train on from a fresh start."
        ).format(gate=name, share=share, lag=lag)
    return _mend_sentence(mend, diagnosis, name, share)


def _mend_sentence(mend: Mend, diagnosis: Diagnosis, gate: str, share: str) -> str:
    says = _(
        "For {lag} steps it needs **{added}** on the bias of the {gate}, of every unit ({lower} to {upper} in the "
        "middle half of the samples): then {arrives} arrives instead of {now}."
    ).format(
        lag=diagnosis.needs_lag, added=_signed(mend.added), gate=gate, lower=_signed(mend.lower),
        upper=_signed(mend.upper),
        arrives=percent(mend.log10_share), now=percent(diagnosis.log10_share),
    )  # fmt: skip
    if mend.input_added:
        says += " " + _(
            "The input gate is closed as far ({added}): without that the gradient would explode, or the cell fill "
            "up and hide it."
        ).format(added=_signed(mend.input_added))
    return says + " " + _("It is measured on these very weights. After the change the network has to be trained on.")


def _signed(number: float) -> str:
    if np.isinf(number):
        return _("more than 8") if number > 0 else _("less than −8")
    return f"{number:+.2f}"


def clipping_sentence(diagnosis: Diagnosis) -> str:
    """Say whether clipping would help, from the largest share at any lag."""
    most = float(diagnosis.log10_shares().max())
    if most > np.log10(EXPLODES_ABOVE):
        return _(
            "**Clipping** would help: somewhere {times} times the gradient arrives, and clipping by norm bounds the "
            "step that it makes. It does not mend what vanishes."
        ).format(times=scientific(most))
    return _(
        "**Clipping** would not help: nothing explodes here, and clipping brings back nothing that has vanished. The "
        "largest share at any lag is {most}."
    ).format(most=percent(max(most, 0.0)))


def truncation_sentence(diagnosis: Diagnosis) -> str:
    """Say whether a longer truncation would help, from how far the gradient reaches."""
    reach, share = diagnosis.reach(diagnosis.share, diagnosis.weakest), percent(float(np.log10(diagnosis.share)))
    if diagnosis.arrives:
        return _(
            "**Truncated back-propagation** has to be longer than {lag} steps: so far back the gradient does arrive, "
            "and a shorter truncation would cut it off."
        ).format(lag=diagnosis.needs_lag)
    return _(
        "**A truncation** longer than {reach} steps brings nothing: {share} of the gradient reaches no further, with "
        "or without it. Once that is mended, it has to be longer than {lag}."
    ).format(reach=reach, share=share, lag=diagnosis.needs_lag)
