"""What is read at each step, for hovering over a figure."""

from __future__ import annotations

from lstm_explorer.core.escape import plotly
from lstm_explorer.core.inputs import step_labels
from lstm_explorer.locales import translated
from lstm_explorer.runs.experiment import Experiment


def labels(one: Experiment) -> tuple[str, ...]:
    """Return what is read at each step, unescaped; empty for generated signals."""
    if one.moment:
        return one.moment.labels
    texts = step_labels(one.settings, table=one.rows, translate=translated)
    return tuple(texts) if any(texts) else ()


def escaped_labels(one: Experiment) -> tuple[str, ...]:
    """Return the labels as figures need them, without markup."""
    return tuple(map(plotly, labels(one)))
