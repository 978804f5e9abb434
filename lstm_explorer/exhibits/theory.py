"""The closed forms of an experiment, as lines to draw."""

from __future__ import annotations

from lstm_explorer.figures.curves import TheoryLine
from lstm_explorer.locales import translated
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Theory


def theory_lines(runner: Runner, experiment: Experiment, *, bounds: bool = False) -> list[TheoryLine]:
    """Return the closed forms of an experiment; none where the runner has shown why not.

    Args:
        runner: Computes them.
        experiment: The network.
        bounds: Whether to include upper bounds.
    """
    return [
        TheoryLine(
            name=translated(form.name), log10_rate=form.log10_rate, about=(experiment.architecture, form.quantity),
            dash=form.dash,
        )
        for form in runner.run(Theory(experiment=experiment)) or ()
        if bounds or not form.bound
    ]  # fmt: skip
