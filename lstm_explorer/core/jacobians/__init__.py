"""Jacobians of the steps, the spectra of their products, and Lyapunov exponents."""
