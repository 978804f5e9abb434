"""What only works inside Streamlit: navigation, language, address, controls, errors."""
