"""What a sweep says, in sentences computed from its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstm_explorer.core.escape import markdown
from lstm_explorer.exhibits.words import setting_words
from lstm_explorer.figures.setting_names import setting_title, value_title
from lstm_explorer.figures.sweep_map import number_words, value_words
from lstm_explorer.locales import _
from lstm_explorer.runs.sweeps.pooled import Outcomes, SweepCurve, SweepMap

#: Shares of pairs from which on, and up to which, the gradient before training is said to tell something.
_TELLS, _HINTS = 0.75, 0.6


def place_words(settings: Mapping[str, Any]) -> str:
    """Return settings with their values in words."""
    return ", ".join(_named(name, value) for name, value in settings.items())


def _named(name: str, value: Any) -> str:
    if name in ("architecture", "nonlinearity", "dtype"):
        return value_title(name, value)
    return _("seed {value}").format(value=value) if name == "seed" else setting_words(name, value)


def map_summary(found: SweepMap) -> str:
    """Say how many runs learn of each map, and where most do; of other numbers, where they are largest and smallest."""
    if not found.runs.any():
        return _("No run of this sweep is done yet.")
    if found.value in ("learnt", "learnt_at"):
        return " ".join(_learners(found, one) for one in range(len(found.places[0])) if found.runs[one].any())
    finite = np.where(found.runs > 0, found.numbers, np.nan)
    if np.isnan(finite).all():
        return _("No run of this sweep has this number.")
    low, high = (_place(found, np.unravel_index(pick(finite), finite.shape)) for pick in (np.nanargmin, np.nanargmax))
    return _("The {value} goes from {low} to {high}.").format(value=value_words(found.value), low=low, high=high)


def _place(found: SweepMap, at: Any) -> str:
    index = tuple(int(one) for one in at)
    named = zip((found.beside, found.up, found.across), found.places, index, strict=True)
    where = markdown(place_words({name: values[one] for name, values, one in named if name}))
    return f"**{number_words(found.value, float(found.numbers[index]))}** ({where})"


def _learners(found: SweepMap, one: int) -> str:
    """Say how many runs of one map learn, and with which value upwards most do."""
    (learnt, runs), by_row = found.whole[one], found.learnt[one].sum(axis=1)
    name = markdown(place_words({found.beside: found.places[0][one]})) if found.beside else ""
    label = f"**{name}**: " if name else ""
    whole = _("{learnt} of {runs} runs learn").format(learnt=learnt, runs=runs)
    if found.up and runs < found.runs[one].sum():
        same = _("whatever the {setting}, which it does not read").format(setting=setting_title(found.up))
        return f"{label}{whole}, {same}."
    share = by_row / np.maximum(found.runs[one].sum(axis=1), 1)
    done = found.runs[one].sum(axis=1) > 0
    if not found.up or share[done].max() == share[done].min():
        return f"{label}{whole}."
    best = int(share.argmax())
    value = markdown(value_title(found.up, found.places[1][best]))
    most = _("most with {setting} {value}: {learnt} of {runs}").format(
        setting=setting_title(found.up), value=value, learnt=int(by_row[best]),
        runs=int(found.runs[one][best].sum()),
    )  # fmt: skip
    return f"{label}{whole}, {most}."


def curves_summary(curves: Sequence[SweepCurve], by: str) -> str:
    """Say which curve ends lowest, and how many of its runs learn."""
    best = min(curves, key=lambda one: one.median[-1] if math.isfinite(one.median[-1]) else math.inf)
    if best.at is None:
        return _("The loss ends at {loss}, and {learnt} of {runs} runs learn.").format(
            loss=f"{best.median[-1]:.3g}", learnt=best.learnt, runs=best.runs
        )
    return _("The loss ends lowest with {where}: {loss}, and {learnt} of {runs} runs learn.").format(
        where=markdown(place_words({by: best.at})), loss=f"{best.median[-1]:.3g}", learnt=best.learnt, runs=best.runs
    )


def outcomes_summary(found: Outcomes) -> str:
    """Say whether the share before training tells who learns, over all pairs and over those that are alike."""
    if math.isnan(found.better):
        learnt = int(found.frame["learnt_at"].notna().sum())
        return _("Of these runs {learnt} of {runs} learn: nothing tells those that do from those that do not.").format(
            learnt=learnt, runs=len(found.frame)
        )
    text = _(
        "Take a run that learns and one that does not: in **{share}** of all such pairs, more of the learner's "
        "gradient survived before training; 50% would be chance. {verdict}"
    ).format(share=_percent(found.better), verdict=_verdict(found.better))
    if not found.alike or math.isnan(found.better_alike):
        return text
    alike = ", ".join(setting_title(name) for name in found.alike)
    return (
        text
        + " "
        + _("Among pairs alike in {settings} it is **{share}**. {verdict}").format(
            settings=alike, share=_percent(found.better_alike), verdict=_verdict(found.better_alike)
        )
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _verdict(share: float) -> str:
    if share >= _TELLS:
        return _("It tells who learns.")
    if share >= _HINTS:
        return _("It hints at who learns.")
    if share > 1 - _HINTS:
        return _("It does not tell who learns.")
    return _("It points the wrong way.")
