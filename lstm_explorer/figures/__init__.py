"""Figures: results of the core in, Plotly figures out."""

from lstm_explorer.figures.cell import cell_values, plot_cell
from lstm_explorer.figures.gradients import FlowAxes, Series, TheoryLine, plot_gradient_flow, plot_unit_heatmap
from lstm_explorer.figures.journey import plot_journey

__all__ = [
    "FlowAxes",
    "Series",
    "TheoryLine",
    "cell_values",
    "plot_cell",
    "plot_gradient_flow",
    "plot_journey",
    "plot_unit_heatmap",
]
