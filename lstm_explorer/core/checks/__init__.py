"""What the core accepts, checked once at its public boundary."""

from lstm_explorer.core.checks.networks import Given, check_given, check_network, check_one_length
from lstm_explorer.core.checks.tensors import (
    Batch,
    InitialState,
    Inputs,
    Lengths,
    check_cotangent,
    check_initial_state,
    check_inputs,
)

__all__ = [
    "Batch", "Given", "InitialState", "Inputs", "Lengths", "check_cotangent", "check_given", "check_initial_state",
    "check_inputs", "check_network", "check_one_length",
]  # fmt: skip
