"""Real networks: built from settings, and as people have them."""
