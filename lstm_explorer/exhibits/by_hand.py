"""The sentences and numbers of the cell by hand, and the texts of its challenges."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lstm_explorer.core.by_hand import CHALLENGES, ByHand
from lstm_explorer.figures.by_hand import last_closed, signed
from lstm_explorer.figures.formatting import scientific
from lstm_explorer.locales import _


def by_hand_summary(run: ByHand) -> str:
    """Return what the cell holds and puts out at the end, and how much of the gradient reaches step 0."""
    state = {"last": run.steps, "cell": signed(run.cell[-1], 3), "hidden": signed(run.hidden[-1], 3)}
    if np.isneginf(run.log10_gradient[0]):
        sentence = _(
            "At step {last} the cell holds {cell} and puts out {hidden}; none of its gradient reaches step 0: the "
            "forget gate of step {closed} is 0."
        )
        return sentence.format(closed=last_closed(run), **state)
    sentence = _("At step {last} the cell holds {cell} and puts out {hidden}; of its gradient, {share} reaches step 0.")
    return sentence.format(share=_share(float(run.log10_gradient[0])), **state)


def by_hand_numbers(run: ByHand) -> pd.DataFrame:
    """Return every number of the figure as a tidy table, one row per step.

    Returns:
        Columns ``step, lag, cell, hidden, input, forget, output, value, log10_gradient, log10_gradient_hidden``.
        ``lag`` is steps back from the last one; there are no gates at step 0.
    """
    steps = np.arange(run.steps + 1)
    gates = {name: np.concatenate([[np.nan], getattr(run, name)]) for name in ("input", "forget", "output", "value")}
    return pd.DataFrame(
        {
            "step": steps,
            "lag": run.steps - steps,
            "cell": run.cell,
            "hidden": run.hidden,
            **gates,
            "log10_gradient": run.log10_gradient,
            "log10_gradient_hidden": run.gradient_hidden,
        }
    )


def challenge_title(code: str) -> str:
    """Return a challenge's name.

    Raises:
        ValueError: There is no such challenge.
    """
    titles = {
        "hold": _("Hold"), "leak": _("Leak"), "erase": _("Erase"), "overwrite": _("Overwrite"), "hide": _("Hide"),
    }  # fmt: skip
    return titles[_known(code)]


def challenge_text(code: str) -> str:
    """Return the task of a challenge.

    Raises:
        ValueError: There is no such challenge.
    """
    texts = {
        "hold": _(
            "Write a 1 into the cell at step 1 (at least 0.9 of it), then nothing more. At step {last}, nine tenths of "
            "it should still be there."
        ),
        "leak": _(
            "Write a 1 at step 1 (at least 0.9 of it), then let the cell forget it slowly, with nothing written: at "
            "step 11, between 0.3 and 0.4 of it should remain. The sequence has {last} steps."
        ),
        "erase": _(
            "Write a 1 at step 1 and keep at least 0.9 of it until step 50. Then erase it: from step 52 to step {last} "
            "the cell should hold at most 0.05, whatever its sign."
        ),
        "overwrite": _(
            "Hold a number between 0.8 and 1 from step 1 to step 50, and one between −1 and −0.8 from step 51 to step "
            "{last}."
        ),
        "hide": _(
            "Let the cell hold at least 0.9 from step 1 on, but put out nothing until step 99 (|h| at most 0.05). At "
            "step {last}, show it: h should be at least 0.6."
        ),
    }
    return texts[_known(code)].format(last=CHALLENGES[code].steps)


def challenge_hint(code: str) -> str:
    """Return a hint for a challenge.

    Raises:
        ValueError: There is no such challenge.
    """
    hints = {
        "hold": _(
            "Two phases. In the first, one step long, the input gate is open; in the second it is closed, and the "
            "forget gate decides how much remains: even f = 0.99 leaves only 37% after 99 steps."
        ),
        "leak": _("After k steps, fᵏ of it remains. Which f gives about 0.35 after 10 steps?"),
        "erase": _("Three phases: write, keep, erase. Which gate empties a cell in one step when it is 0?"),
        "overwrite": _(
            "To replace a number, forget and write in the same step: with f = 1, writing −1 onto a 1 gives 0."
        ),
        "hide": _(
            "The output gate decides what is shown, not what is held: closed until step 99, open in a phase of one "
            "step at the end."
        ),
    }
    return hints[_known(code)]


def _known(code: str) -> str:
    if code not in CHALLENGES:
        raise ValueError(f"challenge is {code!r}: expected one of {', '.join(map(repr, CHALLENGES))}.")
    return code


def _share(log10: float) -> str:
    """Return a share of at most 1, in percent where that is readable.

    Example:
        >>> _share(0.0), _share(-0.001), _share(-24.0)
        ('100%', '99.8%', '1.0×10⁻²⁴')
    """
    return f"{100 * 10.0**log10:.3g}%" if log10 > -4 else scientific(log10)
