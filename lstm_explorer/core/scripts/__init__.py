"""Measurements as short PyTorch programs: of a network, of a training run, or of a whole figure, which they draw."""

from __future__ import annotations

from lstm_explorer.core.scripts.experiment import to_script
from lstm_explorer.core.scripts.figure import DrawnAxes, DrawnCurve, DrawnLine, to_figure_script
from lstm_explorer.core.scripts.training import to_training_script

__all__ = ["DrawnAxes", "DrawnCurve", "DrawnLine", "to_figure_script", "to_script", "to_training_script"]
