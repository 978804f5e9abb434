"""What the networks read."""
