"""Measurements on real recurrent networks: PyTorch and NumPy, no pictures and no app."""
