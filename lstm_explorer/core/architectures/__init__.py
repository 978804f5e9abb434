"""The networks: one record each, with everything that is true of it alone."""
