"""LSTM Explorer: exact gradients through time in real recurrent networks.

>>> import lstm_explorer as lx
>>> settings = lx.Settings(sequence_length=100, forget_bias=1.0)
>>> lstm = lx.build_network("lstm", settings)
>>> flow = lx.gradient_flow(lstm, lx.make_inputs(settings))
>>> flow.log10_hidden.shape  # layers, steps and the initial state, samples
torch.Size([1, 101, 1])
"""

import importlib
from typing import TYPE_CHECKING, Any

from lstm_explorer.core import theory
from lstm_explorer.core.architectures.gru import GRUGates
from lstm_explorer.core.architectures.lstm import LSTMGates
from lstm_explorer.core.biases.grids import BiasGrid, length_map, two_gate_map
from lstm_explorer.core.biases.lines import bias_lines
from lstm_explorer.core.biases.maps import BiasMap, bias_map
from lstm_explorer.core.biases.required import RequiredBias, required_bias
from lstm_explorer.core.checkpoints import LoadedNetwork, load_network
from lstm_explorer.core.diagnosis.diagnose import Diagnosis, diagnose
from lstm_explorer.core.diagnosis.mending import Mend, mended_biases, mending_lines
from lstm_explorer.core.engine.trajectory import Trajectory, unroll
from lstm_explorer.core.gradients.any_cell import CellGradientFlow, cell_gradient_flow
from lstm_explorer.core.gradients.clipping import ClippedGradient, clipped_gradient
from lstm_explorer.core.gradients.flow import gradient_flow, gradient_flow_of_loss
from lstm_explorer.core.gradients.paths import PathFlows, path_flows
from lstm_explorer.core.gradients.plain import PlainBackward, plain_backward
from lstm_explorer.core.gradients.pytorch_clipping import Clipped, StepChange
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.seeds import seed_flows
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.core.gradients.truncated import truncated_flow
from lstm_explorer.core.gradients.weights import (
    StepContributions,
    WeightGradients,
    step_contributions,
    weight_gradients,
)
from lstm_explorer.core.inputs import make_inputs, step_labels
from lstm_explorer.core.jacobians.any_cell import cell_jacobians
from lstm_explorer.core.jacobians.eigenvalues import Eigenvalues, jacobian_eigenvalues
from lstm_explorer.core.jacobians.lyapunov import lyapunov_exponents, lyapunov_exponents_of
from lstm_explorer.core.jacobians.phase_maps import PhaseMap, phase_map
from lstm_explorer.core.jacobians.products import JacobianFlow, jacobian_flow, jacobian_flow_of
from lstm_explorer.core.jacobians.steps import JacobianBlocks, jacobian_blocks, step_jacobians
from lstm_explorer.core.networks.build import build_network, effective_biases
from lstm_explorer.core.networks.finding import find_networks
from lstm_explorer.core.scripts import to_script, to_training_script
from lstm_explorer.core.settings import Settings, parse_query
from lstm_explorer.core.tables import Table, TableError, TableReading, read_table
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.core.training.run import train
from lstm_explorer.core.watching.watch import watch
from lstm_explorer.core.watching.watched import Watched

if TYPE_CHECKING:
    from lstm_explorer.runs.sweeps.grid import Grid
    from lstm_explorer.runs.sweeps.pooled import Outcomes, SweepCurve, SweepMap, sweep_curves, sweep_map, sweep_outcomes
    from lstm_explorer.runs.sweeps.sweep import sweep
    from lstm_explorer.runs.sweeps.table import SweepTable, load_sweep

__version__ = "0.1.0"

__all__ = [
    "BiasGrid",
    "BiasMap",
    "CellGradientFlow",
    "Clipped",
    "ClippedGradient",
    "Diagnosis",
    "Eigenvalues",
    "GRUGates",
    "GradientFlow",
    "Grid",
    "JacobianBlocks",
    "JacobianFlow",
    "LSTMGates",
    "LoadedNetwork",
    "Mend",
    "Outcomes",
    "PathFlows",
    "PhaseMap",
    "PlainBackward",
    "RequiredBias",
    "Settings",
    "StepChange",
    "StepContributions",
    "SweepCurve",
    "SweepMap",
    "SweepTable",
    "Table",
    "TableError",
    "TableReading",
    "Training",
    "TrainingRun",
    "Trajectory",
    "Watched",
    "WeightGradients",
    "bias_lines",
    "bias_map",
    "build_network",
    "cell_gradient_flow",
    "cell_jacobians",
    "clipped_gradient",
    "diagnose",
    "effective_biases",
    "find_networks",
    "gradient_flow",
    "gradient_flow_of_loss",
    "jacobian_blocks",
    "jacobian_eigenvalues",
    "jacobian_flow",
    "jacobian_flow_of",
    "length_map",
    "load_network",
    "load_sweep",
    "lyapunov_exponents",
    "lyapunov_exponents_of",
    "make_inputs",
    "mended_biases",
    "mending_lines",
    "parse_query",
    "path_flows",
    "phase_map",
    "plain_backward",
    "read_table",
    "required_bias",
    "seed_flows",
    "step_contributions",
    "step_jacobians",
    "step_labels",
    "summarise",
    "sweep",
    "sweep_curves",
    "sweep_map",
    "sweep_outcomes",
    "theory",
    "to_script",
    "to_training_script",
    "train",
    "truncated_flow",
    "two_gate_map",
    "unroll",
    "watch",
    "weight_gradients",
]

#: Name -> the module that has it, which needs an extra: imported when it is asked for.
_LATER = {
    name: f"lstm_explorer.runs.sweeps.{module}"
    for module, names in {
        "grid": ["Grid"],
        "pooled": ["Outcomes", "SweepCurve", "SweepMap", "sweep_curves", "sweep_map", "sweep_outcomes"],
        "sweep": ["sweep"],
        "table": ["SweepTable", "load_sweep"],
    }.items()
    for name in names
}


def __getattr__(name: str) -> Any:
    """Return what needs an extra."""
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
