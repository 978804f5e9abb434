"""Exhibits of another page, of one network with weights and inputs of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.view import View
from lstm_explorer.runs.experiment import Moment
from lstm_explorer.runs.job import Job, Runner


class _MomentRunner:
    """A runner to whom one network stands for all that settings would draw."""

    def __init__(self, runner: Runner, moment: Moment) -> None:
        """Keep the runner that does the work."""
        self._runner, self.moment, self.table, self.own_file = runner, moment, None, None
        self.own_sweep = None

    def run(self, job: Job[Any]) -> Any:
        """Return a job's result."""
        return self._runner.run(job)


def of_moment(
    build: Callable[..., Exhibit | None], runner: Runner, moment: Moment, settings: Settings, of: View
) -> Exhibit | None:
    """Return another page's exhibit of one network.

    Args:
        build: That exhibit's builder.
        runner: Does the work.
        moment: The network, and what it reads.
        settings: Its sizes.
        of: What is asked of the other page.
    """
    exhibit = build(_MomentRunner(runner, moment), settings, of)
    # No program by hand: it would draw a network of its own.
    return exhibit and replace(exhibit, experiments=(), measured=())
