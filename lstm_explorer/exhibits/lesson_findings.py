"""What the questions of the lesson ask for, measured: the value that decides, and the numbers in the words."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstm_explorer.exhibits.biases import needed
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.lesson import Chapter
from lstm_explorer.exhibits.lesson_view import LessonView, figure_of
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.exhibits.theory import theory_lines
from lstm_explorer.exhibits.training import found_runs
from lstm_explorer.figures.formatting import percent, scientific, steps
from lstm_explorer.figures.learners import learners
from lstm_explorer.runs.job import Runner

#: Share of a training that "shortly before" and "shortly after" are from the moment it learnt.
_AROUND = 0.1


class Finding(NamedTuple):
    """What was measured: the value that decides which answer is right, and the numbers that words may name."""

    value: float
    numbers: Mapping[str, str]


Find = Callable[[Runner, Chapter, Exhibit, Exhibit], Finding | None]


def build(runner: Runner, chapter: Chapter, view: LessonView) -> Exhibit | None:
    """Return a chapter's figure, as its controls were moved; None where it could not be measured.

    Args:
        runner: What measures.
        chapter: The chapter.
        view: Where its controls stand.
    """
    settings, of = figure_of(chapter, view)
    return EXHIBITS[chapter.figure].build(runner, settings, of, ())


def find(runner: Runner, chapter: Chapter) -> Finding | None:
    """Return what a chapter's question asks for; None where it could not be measured.

    The settings are those of the question, wherever the reader's controls stand.

    Args:
        runner: What measures.
        chapter: The chapter.
    """
    at_first = LessonView(chapter=chapter.code).opened()
    before = build(runner, chapter, at_first)
    after = build(runner, chapter, at_first.replace(**chapter.question.changes))
    return FINDS[chapter.question.finds](runner, chapter, before, after) if before and after else None


def written(value: float, unit: str) -> str:
    """Return a number of a question as it is written on its slider and in the words.

    Args:
        value: The number; of a power of ten its exponent.
        unit: As in :class:`lstm_explorer.exhibits.lesson.Guess`.

    Example:
        >>> written(-3.0, "power"), written(0.6, "percent"), written(0.949, "share"), written(2.25, "bias")
        ('0.1%', '0.6%', '0.95', '2.25')
    """
    if unit == "power":
        return percent(value)
    return f"{value:.2g}%" if unit == "percent" else f"{value:.2f}" if unit == "share" else f"{value:g}"


def _arrives(runner: Runner, chapter: Chapter, before: Exhibit, after: Exhibit) -> Finding:
    """Find how much of the gradient reaches the first step, of one network."""
    network = chapter.question.of
    old, new = (next(one.curve for one in exhibit.series if one.network == network) for exhibit in (before, after))
    one = next(one for one in after.experiments if one.architecture == network)
    theory = [line.log10_rate * one.steps for line in theory_lines(runner, one)]
    numbers = {"before": percent(old.log10_ratio), "measured": percent(new.log10_ratio),
               "half_life": steps(abs(new.half_life))}  # fmt: skip
    value = new.log10_ratio
    if chapter.question.guess and chapter.question.guess.unit == "percent":
        value = 100 * 10.0**value
    return Finding(value, numbers | ({"theory": percent(theory[0])} if theory else {}))


def _forget_gate(runner: Runner, chapter: Chapter, before: Exhibit, after: Exhibit) -> Finding:
    """Find how far the forget gate stands open at the step of the diagram."""
    old, new = (_at_step(exhibit)["forget"] for exhibit in (before, after))
    return Finding(new, {"before": written(old, "share"), "measured": written(new, "share")})


def _shown(runner: Runner, chapter: Chapter, before: Exhibit, after: Exhibit) -> Finding:
    """Find what becomes of the cell state, log10, where the hidden state fades; NaN where that does not."""
    old, new = _at_step(before), _at_step(after)
    numbers = {"cell_before": old["cell"], "cell": new["cell"], "hidden_before": old["hidden"], "hidden": new["hidden"]}
    fades = abs(new["hidden"]) < abs(old["hidden"]) / 10
    value = math.log10(abs(new["cell"]) / abs(old["cell"])) if fades else math.nan
    return Finding(value, {name: _signed(number) for name, number in numbers.items()})


def _at_step(exhibit: Exhibit) -> Mapping[str, float]:
    """Return the numbers of the cell's diagram at its step."""
    table = exhibit.numbers()
    here = table[table["step"] == getattr(exhibit.view, "step")]  # noqa: B009 - views differ
    return dict(zip(here["name"], here["value"].astype(float), strict=True))


def _signed(number: float) -> str:
    return f"{number:.3g}".replace("-", "−")


def _weights(runner: Runner, chapter: Chapter, before: Exhibit, after: Exhibit) -> Finding:
    """Find how many powers of ten the weights' gradient falls for each that the first state's falls."""
    changes = {}
    for quantity in ("weight_hh", "hidden"):
        old, new = (_at_longest(exhibit.numbers(), quantity) for exhibit in (before, after))
        changes[quantity] = new - old
    numbers = {"weights": scientific(changes["weight_hh"], 3), "states": scientific(changes["hidden"])}
    return Finding(changes["weight_hh"] / changes["hidden"], numbers)


def _at_longest(table: pd.DataFrame, quantity: str) -> float:
    here = table[(table["length"] == table["length"].max()) & (table["quantity"] == quantity)]
    return float(here["log10_norm"].max())


def _needed_bias(runner: Runner, chapter: Chapter, before: Exhibit, after: Exhibit) -> Finding | None:
    """Find the bias that keeps the wanted share, for every seed."""
    old, new = (needed(runner, exhibit.settings, exhibit.view) for exhibit in (before, after))  # type: ignore[arg-type]
    if old is None or new is None or old.recommended is None or new.recommended is None:
        return None
    numbers = {"before": written(old.recommended, "bias"), "measured": written(new.recommended, "bias"),
               "formula": f"{new.closed_form:.1f}"}  # fmt: skip
    return Finding(new.recommended, numbers)


def _learns(runner: Runner, chapter: Chapter, before: Exhibit, after: Exhibit) -> Finding:
    """Find by how many powers of ten the gradient at the needed lag rises where a network learns; -inf where never."""
    everyone = learners(found_runs(after.view))  # type: ignore[arg-type]
    one = next(learner for learner in everyone if learner.network == chapter.question.of)
    run = one.first
    if run.learnt_at is None:
        return Finding(-math.inf, {})
    around = round(_AROUND * run.training.steps)
    moments = max(run.learnt_at - around, 0), min(run.learnt_at + around, len(run.loss))
    shares = [one.share(moment) for moment in moments]
    measured = [int(run.steps[one.row_at(moment)]) for moment in moments]
    numbers = {"learnt": str(run.learnt_at), "share_before": percent(shares[0]), "share_after": percent(shares[1]),
               "earlier": str(measured[0]), "later": str(measured[1])}  # fmt: skip
    return Finding(float(np.subtract(shares[1], shares[0])), numbers)


#: Name of what a question finds -> how.
FINDS: Mapping[str, Find] = types.MappingProxyType(
    {
        "arrives": _arrives, "forget_gate": _forget_gate, "shown": _shown, "weights": _weights,
        "needed_bias": _needed_bias, "learns": _learns,
    }
)  # fmt: skip
