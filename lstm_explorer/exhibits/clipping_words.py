"""Whether clipping would have helped, and what a truncation cuts off: sentences computed from the numbers."""

from __future__ import annotations

import math

from lstm_explorer.core.gradients.clipping import ClippedGradient
from lstm_explorer.core.gradients.plain import PlainBackward
from lstm_explorer.core.gradients.pytorch_clipping import StepChange
from lstm_explorer.core.gradients.summaries import Curve, Verdict, verdict_of
from lstm_explorer.exhibits.curve_summaries import gradient_of, verdict_word
from lstm_explorer.exhibits.words import OPTIMIZERS
from lstm_explorer.figures.formatting import percent, scientific
from lstm_explorer.figures.names import network_name
from lstm_explorer.locales import _

#: A step that keeps more than this of its length, and turns by fewer degrees, hardly changes.
_HALF, _TURNED = 0.5, 30.0


def clipping_summary(measured: ClippedGradient, backward: PlainBackward, *, lag: int, optimizer: str) -> str:
    """Return whether clipping would have helped: what arrives without and with it, what it did to the step, and why.

    Args:
        measured: The gradient before and after.
        backward: The hidden state's gradient, exact and in the network's dtype.
        lag: Steps back that are asked about.
        optimizer: ``"sgd"`` or ``"adam"``.
    """
    exact = backward.exact.log10_hidden[-1, :, 0]
    verdict = verdict_of(float(exact[-1 - lag] - exact[-1]))
    head = _("**{network}, {gradient} at lag {lag}: {verdict}.**").format(
        network=network_name(measured.architecture), gradient=gradient_of("hidden"), lag=lag,
        verdict=verdict_word(verdict),
    )  # fmt: skip
    sentences = [
        f"{head} {_arrives(measured, lag)}",
        _step_sentence(measured, optimizer),
        _answer(measured, verdict, optimizer),
    ]
    return "  \n".join(sentences)


def _arrives(measured: ClippedGradient, lag: int) -> str:
    """Return how much of the weights' gradient comes from a lag, and its share of what the last step adds."""
    before, after = (norms[0].double() for norms in (measured.log10_steps_before, measured.log10_steps_after))
    at = max(0, len(before) - 1 - lag)  # the first step that is read reaches as far back as the initial state
    shares = [_share(float(norms[at]), float(norms[-1])) for norms in (before, after)]
    says = (
        _(
            "To the weights' gradient, step {step} adds {before} without clipping and {after} with it; of what the "
            "last step adds that is {share}, with or without."
        )
        if shares[0] == shares[1]
        else _(
            "To the weights' gradient, step {step} adds {before} without clipping and {after} with it; of what the "
            "last step adds that is {share}, and {share_after} with it."
        )
    )
    return says.format(
        step=at + 1, before=scientific(float(before[at])), after=scientific(float(after[at])), share=shares[0],
        share_after=shares[1],
    )  # fmt: skip


def _share(log10: float, of: float) -> str:
    return percent(log10 - of) if math.isfinite(of) else scientific(math.nan)


def _step_sentence(measured: ClippedGradient, optimizer: str) -> str:
    """Return what clipping does to the optimizer's step, in the network's dtype."""
    own, name = measured.own, OPTIMIZERS[optimizer]
    change = own.optimizer_steps[optimizer]
    if math.isfinite(change.degrees):
        return _("With clipping, {change}; the gradient itself keeps {length}.").format(
            change=_change(change, name), length=percent(measured.log10_norm_after - measured.log10_norm_before)
        )
    if change.length == 0:
        return _("With clipping, the first step of {optimizer} is zero.").format(optimizer=name)
    wide = measured.wide.optimizer_steps[optimizer]
    says = _("In {dtype} there is no step of {optimizer} to compare.").format(dtype=own.dtype, optimizer=name)
    if math.isfinite(wide.degrees) and own.dtype != measured.wide.dtype:
        says += " " + _("In {dtype}, {change}.").format(dtype=measured.wide.dtype, change=_change(wide, name))
    return says


def _change(change: StepChange, optimizer: str) -> str:
    return _("the first step of {optimizer} keeps {length} of its length and turns by {degrees:.1f}°").format(
        optimizer=optimizer, length=percent(_log10(change.length)), degrees=change.degrees
    )


def _answer(measured: ClippedGradient, verdict: Verdict, optimizer: str) -> str:
    """Return the answer for the case at hand."""
    own = measured.own
    if own.not_finite_before:
        return _overflowed(measured)
    if math.isinf(own.norm_before) and measured.clipping == "norm":
        return _(
            "**It would have stopped the training.** No number of the gradient has overflowed, but its norm has: "
            "{dtype} does not hold the squares. clip_grad_norm_ divides by infinity, and nothing is left."
        ).format(dtype=own.dtype)
    if own.share_cut == 0:
        return _nothing_to_clip(measured, verdict)
    if _hardly_changes(measured, optimizer):
        return _(
            "**It hardly changes the optimizer's step**, whatever it does to the gradient: {optimizer} divides by the "
            "size of the gradient itself."
        ).format(optimizer=OPTIMIZERS[optimizer])
    if measured.clipping == "value":
        return _(
            "**It bounds the optimizer's step and bends it**: {cut} of the numbers are brought down to the bound, and "
            "the gradient turns by {degrees:.1f}°."
        ).format(cut=percent(math.log10(own.share_cut)), degrees=StepChange(1.0, own.cosine).degrees)
    if verdict == "vanishes":
        return _(
            "**No.** What each time step adds is multiplied by the same number: the gradient is shorter, and what has "
            "vanished on its way stays as small a part of it as before."
        )
    if verdict == "explodes":
        return _(
            "**It bounds the optimizer's step**, and no more: what each time step adds is multiplied by the same "
            "number, so the farthest still outweigh the last as before."
        )
    return _(
        "**It only shortens the gradient**: what each time step adds is multiplied by the same number, and nothing "
        "exploded."
    )


def _hardly_changes(measured: ClippedGradient, optimizer: str) -> bool:
    """Tell whether the step stays within a factor of two and 30 degrees while the gradient gets shorter than that."""
    change, gradient = measured.own.optimizer_steps[optimizer], measured.log10_norm_after - measured.log10_norm_before
    return _HALF < change.length < 1 / _HALF and change.degrees < _TURNED and gradient < math.log10(_HALF)


def _overflowed(measured: ClippedGradient) -> str:
    own = measured.own
    says = _(
        "**Too late: {dtype} has overflowed already.** Of the {numbers} numbers of the gradient {before} are infinite "
        "or NaN before clipping, and {after} after it."
    ).format(dtype=own.dtype, numbers=own.numbers, before=own.not_finite_before, after=own.not_finite_after)
    if own.not_finite_after:
        says += " " + _("A step with that destroys the weights: lower the gain, or cut the sequence into pieces.")
    else:
        says += " " + _("What is left points where the bound is, and not where the loss falls.")
    return says + " " + _("The numbers above are those without any rounding.")


def _nothing_to_clip(measured: ClippedGradient, verdict: Verdict) -> str:
    own = measured.own
    says = (
        _("**Nothing to clip**: the norm of the gradient is {norm}, and clipping begins above {clip_at:g}.")
        if measured.clipping == "norm"
        else _("**Nothing to clip**: the norm of the gradient is {norm}, and no number of it is above {clip_at:g}.")
    ).format(norm=scientific(_log10(own.norm_before)), clip_at=measured.clip_at)
    if verdict == "vanishes":
        return says + " " + _("And no clipping brings back what has vanished.")
    return says


def _log10(number: float) -> float:
    return math.log10(number) if number > 0 else -math.inf


def truncation_summary(network: str, whole: Curve, cut: Curve, *, lag: int) -> str:
    """Return where the gradient ends that is truncated, and how much would have arrived there without.

    Args:
        network: The network.
        whole: The gradient that is not cut, relative to the last step.
        cut: The one that is.
        lag: Steps back that are asked about.
    """
    shares, left = whole.median[::-1], cut.median[::-1]
    gone = [k for k, log10 in enumerate(left) if log10 == -math.inf and shares[k] != -math.inf]
    head = _("**{network}, {gradient} at lag {lag}: {verdict}.**").format(
        network=network_name(network), gradient=gradient_of(whole.quantity), lag=lag,
        verdict=verdict_word(verdict_of(float(left[lag]))),
    )  # fmt: skip
    share = percent(float(shares[lag]))
    if not gone:
        says = _("Nothing is cut: {share} arrives at lag {lag}, with the truncation or without.")
        return f"{head} {says.format(share=share, lag=lag)}"
    says = _("From lag {cut} on exactly nothing arrives, whatever the network: the state is detached there.")
    words = {"cut": gone[0], "there": percent(float(shares[gone[0]])), "share": share, "lag": lag}
    if lag < gone[0]:
        rest = _("Up to there nothing changes: {share} arrives at lag {lag}; at lag {cut} it would be {there}.")
    elif lag == gone[0]:
        rest = _("Without the cut {share} would arrive there.")
    else:
        rest = _("Without the cut {there} would arrive there, and {share} at lag {lag}.")
    return f"{head} {says.format(**words)}  \n{rest.format(**words)}"
