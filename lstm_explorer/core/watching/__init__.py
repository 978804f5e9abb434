"""The gradient through time inside one's own training loop."""
