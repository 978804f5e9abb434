"""Figures and results as files: images, documents, tables."""
