"""The parts that need Streamlit: navigation, language, address, controls, errors."""

from lstm_explorer.extras import require

require("app")
