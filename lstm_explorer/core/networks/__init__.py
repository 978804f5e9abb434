"""Build real networks from settings, and read their biases."""
