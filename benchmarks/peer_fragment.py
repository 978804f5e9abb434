"""The peer of bench_inside.py: an otherwise empty fragment, a slider and its number as text."""

import streamlit as st


@st.fragment
def page() -> None:
    """Draw the slider and what it says."""
    step = st.slider("Step t", 1, 100, key="step")
    st.markdown(f"step {step} of 100", unsafe_allow_html=False)


if __name__ == "__main__":
    st.set_page_config(layout="wide")
    page()
