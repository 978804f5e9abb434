"""Sentences beside the curves, each computed from the numbers that are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lstm_explorer.core.gradients.flow import GradientFlow
from lstm_explorer.core.gradients.summaries import Curve, Verdict
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.formatting import percent, scientific, steps
from lstm_explorer.locales import _


def verdict_word(verdict: Verdict) -> str:
    """Return the verdict as one word."""
    words = {"vanishes": _("vanishes"), "survives": _("survives"), "explodes": _("explodes")}
    return words[verdict]


def share_sentence(curve: Curve) -> str:
    """Return how much of the gradient arrives at the first step, and how fast it is lost or grows."""
    ratio = curve.log10_ratio
    if ratio == -math.inf:
        return _("Nothing at all of the gradient at step {last} reaches step {first}.").format(**_ends(curve))
    if math.isnan(ratio):
        return _("No gradient leaves step {last}.").format(**_ends(curve))
    if ratio > 0:
        sentence = _(
            "At step {first} the gradient is {times} times that at step {last}; it doubles every {steps} steps."
        )
        return sentence.format(times=scientific(ratio), steps=steps(-curve.half_life), **_ends(curve))
    sentence = _("{share} of the gradient at step {last} reaches step {first}; it halves every {steps} steps.")
    return sentence.format(share=percent(ratio), steps=steps(curve.half_life), **_ends(curve))


def curves_summary(series: Sequence[Series]) -> str:
    """Return for every curve whether it vanishes, survives or explodes, with its numbers."""
    sentences = [
        _("**{name} {verdict}.** {sentence}").format(
            name=one.name, verdict=verdict_word(one.curve.verdict), sentence=share_sentence(one.curve)
        )
        for one in series
    ]
    return "  \n".join(sentences)


def _ends(curve: Curve) -> dict[str, int]:
    return {"first": int(curve.steps[0]), "last": int(curve.steps[-1])}


def units_summary(flow: GradientFlow, layer: int) -> str:
    """Return over how many units the gradient at step 0 is spread, for the first replica and sample.

    Raises:
        ValueError: The flow was measured without its units.
    """
    units = flow.log10_hidden_units
    if units is None:
        raise ValueError("the flow has no units: expected one measured with units=True.")
    sizes = (units[0, layer, 0, 0] if units.ndim == 5 else units[layer, 0, 0]).double().numpy()
    finite = np.isfinite(sizes)
    if not finite.any():
        return _("At step 0 no unit receives any gradient.")
    shares = np.where(finite, 10.0 ** (2 * (np.where(finite, sizes, 0.0) - sizes[finite].max())), 0.0)
    effective = shares.sum() ** 2 / (shares**2).sum()
    return _("At step 0 the gradient is spread over about {count:.0f} of {all} units.").format(
        count=max(1.0, effective), all=len(sizes)
    )
