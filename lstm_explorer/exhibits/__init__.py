"""Exhibits: a figure with its texts, its numbers and the experiments behind it."""
