"""People's checkpoints: the recurrent networks in them, found by names and shapes, with nothing in the file run."""

from lstm_explorer.core.checkpoints.loading import (
    LoadedCheckpoint,
    LoadedNetwork,
    find_in_checkpoint,
    load_network,
)
from lstm_explorer.core.checkpoints.messages import CheckpointError
from lstm_explorer.core.checkpoints.record import FoundNetwork, Left

__all__ = [
    "CheckpointError", "FoundNetwork", "Left", "LoadedCheckpoint", "LoadedNetwork", "find_in_checkpoint",
    "load_network",
]  # fmt: skip
