"""Measurements as short PyTorch programs: of one network, or of a whole figure, which they draw too."""

from __future__ import annotations

from lstm_explorer.core.scripts.experiment import to_script
from lstm_explorer.core.scripts.figure import DrawnAxes, DrawnCurve, DrawnLine, to_figure_script

__all__ = ["DrawnAxes", "DrawnCurve", "DrawnLine", "to_figure_script", "to_script"]
