"""Exhibits: a figure with its words, its numbers and the experiments behind it."""
