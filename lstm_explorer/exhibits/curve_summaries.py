"""Sentences beside the curves, each computed from the numbers that are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from lstm_explorer.core.escape import markdown
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.summaries import Curve, Quantity, Verdict
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.formatting import percent, scientific, steps
from lstm_explorer.figures.names import network_name
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
        arrives = _("At step {first} the gradient is {times} times that at step {last}").format(
            times=scientific(ratio), **_ends(curve)
        )
    else:
        arrives = _("{share} of the gradient at step {last} reaches step {first}").format(
            share=percent(ratio), **_ends(curve)
        )
    course = course_words(curve)
    return _("{arrives}; {course}.").format(arrives=arrives, course=course) if course else f"{arrives}."


def course_words(curve: Curve) -> str:
    """Return the rate of a curve that has one, and where any other turns; nothing where there is nothing to say."""
    if curve.steady:
        growing = curve.half_life < 0
        words = _("it doubles every {steps} steps") if growing else _("it halves every {steps} steps")
        return words.format(steps=steps(abs(curve.half_life)))
    turn = curve.turn
    if turn is None:
        return ""
    height = curve.median[turn] - curve.median[-1]
    lowest = height < min(0.0, curve.log10_ratio)
    words = _("it is least at step {step}: {share}") if lowest else _("it is most at step {step}: {share}")
    return words.format(step=int(curve.steps[turn]), share=percent(height))


def gradient_of(quantity: Quantity) -> str:
    """Return of what a gradient is taken, in words that follow a network's name."""
    words = {
        "hidden": _("gradient of h"),
        "cell": _("gradient of c"),
        "cell_path": _("gradient of c, cell path alone"),
        "inputs": _("gradient of x"),
    }
    return words[quantity]


def curves_summary(series: Sequence[Series], *, escape: Callable[[str], str] = markdown) -> str:
    """Return for every curve of which gradient it is, whether that vanishes, survives or explodes, and its numbers.

    Args:
        series: The curves.
        escape: Makes a name, which a reader may have given, safe where the sentences are shown; ``str`` leaves it.
    """
    sentences = [
        _("**{network}, {gradient}: {verdict}.** {sentence}").format(
            network=escape(curve_name(one)), gradient=gradient_of(one.curve.quantity),
            verdict=verdict_word(one.curve.verdict), sentence=share_sentence(one.curve),
        )
        for one in series
    ]  # fmt: skip
    return "  \n".join(sentences)


def curve_name(one: Series) -> str:
    """Return whose curve it is: the network's name, or the name of a pin."""
    return network_name(one.network) if one.style == "path" else one.name


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
