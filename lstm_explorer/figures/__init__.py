"""Figures: results of the core in, Plotly figures out."""

from lstm_explorer.extras import require

require("figures")

from lstm_explorer.figures.axes import FlowAxes
from lstm_explorer.figures.bias_grid import plot_bias_grid
from lstm_explorer.figures.bias_map import plot_bias_map
from lstm_explorer.figures.cell import cell_values, plot_cell
from lstm_explorer.figures.clipping import plot_clipping, plot_truncation
from lstm_explorer.figures.curves import Series, TheoryLine
from lstm_explorer.figures.eigenvalues import plot_eigenvalues
from lstm_explorer.figures.exponents import plot_lyapunov_exponents
from lstm_explorer.figures.gate_biases import plot_gate_biases
from lstm_explorer.figures.gradient_flow import plot_gradient_flow
from lstm_explorer.figures.jacobians import plot_jacobian_flow
from lstm_explorer.figures.journey import plot_journey
from lstm_explorer.figures.paths import plot_paths, plot_rates
from lstm_explorer.figures.phase_map import plot_phase_map
from lstm_explorer.figures.reach import plot_reach
from lstm_explorer.figures.required_bias import plot_required_bias
from lstm_explorer.figures.sweep_curves import plot_sweep_curves
from lstm_explorer.figures.sweep_map import plot_sweep_map
from lstm_explorer.figures.sweep_outcomes import plot_sweep_outcomes
from lstm_explorer.figures.training import plot_training
from lstm_explorer.figures.units import plot_unit_heatmap
from lstm_explorer.figures.watched import plot_watched
from lstm_explorer.figures.weights import plot_contributions, plot_weight_gradients

__all__ = [
    "FlowAxes",
    "Series",
    "TheoryLine",
    "cell_values",
    "plot_bias_grid",
    "plot_bias_map",
    "plot_cell",
    "plot_clipping",
    "plot_contributions",
    "plot_eigenvalues",
    "plot_gate_biases",
    "plot_gradient_flow",
    "plot_jacobian_flow",
    "plot_journey",
    "plot_lyapunov_exponents",
    "plot_paths",
    "plot_phase_map",
    "plot_rates",
    "plot_reach",
    "plot_required_bias",
    "plot_sweep_curves",
    "plot_sweep_map",
    "plot_sweep_outcomes",
    "plot_training",
    "plot_truncation",
    "plot_unit_heatmap",
    "plot_watched",
    "plot_weight_gradients",
]
