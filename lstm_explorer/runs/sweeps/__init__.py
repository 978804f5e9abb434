"""Sweeps: one job for every cell of a grid, in processes here or on a cluster, and kept as it is done."""

from lstm_explorer.extras import require

require("training")
