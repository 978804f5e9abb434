"""Training runs that are kept in files, go on in a process of their own, and travel with the package."""

from lstm_explorer.extras import require

require("training")
