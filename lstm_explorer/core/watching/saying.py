"""A watched training in one line for a terminal."""

from __future__ import annotations

import math

from lstm_explorer.core.gradients.summaries import Curve
from lstm_explorer.locales import _

#: Smaller shares are written as powers of ten.
_LEAST_PERCENT = -4.0


def sentence(curve: Curve, *, step: int, name: str = "", reads_earlier: bool = False) -> str:
    """Say what of a gradient arrives, and how fast it is lost.

    Args:
        curve: Relative to its last step.
        step: The optimizer step.
        name: The network's, where there are several.
        reads_earlier: Whether the loss reads more steps than the last.

    Example:
        >>> import numpy as np
        >>> falls = np.linspace(-0.9, 0.0, 81)
        >>> curve = Curve(quantity="hidden", steps=np.arange(81), median=falls, lower=falls, upper=falls, runs=1,
        ...     relative=True)
        >>> sentence(curve, step=900)
        'step 900: 13 % of the gradient reaches 80 steps back; half-life 27 steps'
    """
    where = _("step {step}, {name}").format(step=step, name=name) if name else _("step {step}").format(step=step)
    said = [_what_arrives(curve)]
    if -math.inf < curve.log10_ratio < 0:
        said.append(_("half-life {steps} steps").format(steps=_steps(curve.half_life)))
    if reads_earlier:
        said.append(_("the loss reads earlier steps too"))
    return f"{where}: {'; '.join(said)}"


def _what_arrives(curve: Curve) -> str:
    lag, share = len(curve.steps) - 1, curve.log10_ratio
    if math.isnan(share) or not lag:
        return _("no gradient came by the states")
    back = _("one step back") if lag == 1 else _("{lag} steps back").format(lag=lag)
    if share == -math.inf:
        return _("no gradient reaches {back}").format(back=back)
    if share <= 0:
        return _("{share} of the gradient reaches {back}").format(share=_percent(share), back=back)
    return _("the gradient grows to {times} times its size, {back}").format(times=_number(share), back=back)


def _percent(log10: float) -> str:
    percent = 100 * 10.0**log10
    if log10 < _LEAST_PERCENT:
        return _number(log10)
    return f"{percent:.3g} %" if percent >= 99.5 else f"{percent:.2g} %"  # two digits would read 1e+02


def _number(log10: float) -> str:
    return f"{10.0**log10:.3g}" if 0 <= log10 < 3 else f"10^{log10:.0f}"


def _steps(steps: float) -> str:
    return f"{steps:.1f}" if steps < 20 else f"{steps:.0f}"
