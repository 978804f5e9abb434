"""An exhibit: a figure with its texts, its numbers and the experiments behind it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.view import View
from lstm_explorer.figures.axes import FigureSpec, FlowAxes
from lstm_explorer.figures.curves import Series, TheoryLine
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Job


@dataclass(frozen=True, eq=False, kw_only=True)
class StillPart:
    """A part of a figure that is the same for many settings: equal jobs and options have equal parts.

    Attributes:
        job: Whose result is drawn.
        options: What else it depends on, except theme and language.
        make: Theme name to the part.
        complete: The part, as it was made or with its numbers packed, and the theme name, to the whole figure.
    """

    job: Job[Any]
    options: Hashable
    make: Callable[[str], FigureSpec]
    complete: Callable[[FigureSpec, str], FigureSpec]


@dataclass(frozen=True, eq=False, kw_only=True)
class Exhibit:
    """A figure that can be shown, read and exported.

    Attributes:
        name: Its key in :data:`lstm_explorer.exhibits.registry.EXHIBITS`, and part of every file's name.
        title: As it stands over the picture on paper.
        alt: A description for those who cannot see it.
        how_to_read: How to read it.
        summary: The finding, computed from the numbers that are drawn; Markdown, so that names in it are escaped.
        settings: The settings of the page.
        about: What the figure is of, in words, where it is not of these settings.
        experiments: The networks behind it, each with exactly its settings.
        draw: Theme name to figure.
        numbers: The numbers drawn, as a tidy table at full precision.
        view: How the page shows it.
        series: The curves, where there are any.
        measured: The experiment behind each of the curves.
        theory: The closed forms drawn beside them.
        axes: Those of the curves.
        neighbours: Theme name to the drawing at the current step, which comes first, and at the steps around it; only
            where the exhibit is a drawing of one step.
        spec: Theme name to the figure as plain dicts, where it is redrawn at every move of a slider.
        still: The part of ``spec`` that most moves leave as it is, where that is nearly all of it.
    """

    name: str
    title: str
    alt: str
    how_to_read: str
    summary: str
    settings: Settings
    experiments: tuple[Experiment, ...]
    draw: Callable[[str], go.Figure]
    numbers: Callable[[], pd.DataFrame]
    about: str = ""
    view: View = field(default_factory=View)
    series: tuple[Series, ...] = ()
    measured: tuple[Experiment, ...] = ()
    theory: tuple[TheoryLine, ...] = ()
    axes: FlowAxes = FlowAxes()  # noqa: RUF009 - frozen
    neighbours: Callable[[str], Mapping[int, str]] | None = None
    spec: Callable[[str], FigureSpec] | None = None
    still: StillPart | None = None
