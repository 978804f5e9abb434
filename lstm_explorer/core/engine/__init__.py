"""Private: forward passes and exact adjoints, past the range of a float."""
