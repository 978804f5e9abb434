"""Build real networks from settings, and read their biases."""

from lstm_explorer.core.networks.build import build_network, effective_biases

__all__ = ["build_network", "effective_biases"]
