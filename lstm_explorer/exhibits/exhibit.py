"""What an exhibit is: a figure with its words, its numbers and the experiments behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import pandas as pd
import plotly.graph_objects as go

from lstm_explorer.core.engine.trajectory import Trajectory
from lstm_explorer.core.gradients.flow import GradientFlow
from lstm_explorer.core.inputs.kinds import TableLike
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.exhibits.theory import RNNRates
from lstm_explorer.exhibits.view import View
from lstm_explorer.figures.gradient_flow import FigureSpec, Series, TheoryLine

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One network with its settings, under the name that the figure gives it."""

    name: str
    architecture: Architecture
    settings: Settings


class Bench(Protocol):
    """Where exhibits get their measurements: kept and shielded in the app, plain on the command line.

    What cannot be measured is None where the bench has said why, or an error.
    """

    def flow(self, settings: Settings, architecture: Architecture, *, units: bool = False) -> GradientFlow | None:
        """Measure all replicas."""
        ...

    def trajectory(self, settings: Settings, architecture: Architecture) -> Trajectory | None:
        """Unroll the first replica."""
        ...

    def rates(self, settings: Settings) -> RNNRates | None:
        """Return the plain RNN's closed forms."""
        ...

    def table(self) -> TableLike | None:
        """Return the reader's own table."""
        ...

    def measured(self, measure: Callable[..., T], settings: Settings, *, numbers: int = 1, **options: Any) -> T | None:
        """Return ``measure(settings, table=..., **options)``: so many numbers for every step, replica and sample."""
        ...

    def swept(
        self,
        measure: Callable[..., T],
        join: Callable[[Sequence[T]], T],
        settings: Settings,
        *,
        biases: Sequence[float],
        runs: int = 1,
        **options: Any,
    ) -> T | None:
        """Return a measurement over biases, made a few biases at a time; each of them costs so many runs."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Exhibit:
    """A figure that can be shown, read and taken home.

    Attributes:
        name: Its key in :data:`lstm_explorer.exhibits.registry.EXHIBITS`, and part of every file's name.
        title: As it stands over the picture on paper.
        alt: What it shows, for those who cannot see it.
        read: How to read it.
        says: What it says now, computed from the numbers that are drawn.
        settings: What the page was set to.
        experiments: The networks behind it, each with exactly its settings.
        draw: Theme name to figure.
        numbers: The numbers drawn, as a tidy table at full precision.
        view: How the page shows it.
        series: The curves, where there are any.
        theory: The closed forms drawn beside them.
        near: Theme name to the drawing itself, where the exhibit is one and the figure only its frame: at the step that
            is shown, which comes first, and at those around it.
        spec: Theme name to the figure as plain dicts, where it is redrawn at every move of a slider.
    """

    name: str
    title: str
    alt: str
    read: str
    says: str
    settings: Settings
    experiments: tuple[Experiment, ...]
    draw: Callable[[str], go.Figure]
    numbers: Callable[[], pd.DataFrame]
    view: View = field(default_factory=View)
    series: tuple[Series, ...] = ()
    theory: tuple[TheoryLine, ...] = ()
    near: Callable[[str], Mapping[int, str]] | None = None
    spec: Callable[[str], FigureSpec] | None = None
