"""Gradients of every state, by path, by weight, and what they say in a few numbers."""
