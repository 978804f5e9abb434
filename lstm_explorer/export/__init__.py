"""Figures and results as files: images, documents, tables."""

from lstm_explorer.extras import require

require("export")
