"""The numbers beneath the first picture: who vanishes, who survives, who explodes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lstm_explorer.figures.gradients import Series, TheoryLine
from lstm_explorer.figures.numbers import percent, steps
from lstm_explorer.figures.words import verdict_word
from lstm_explorer.locales import _

#: Colour and sign of each verdict; the sign says it without colour.
_BADGES = {
    "vanishes": ("red", ":material/trending_down:"),
    "survives": ("green", ":material/trending_flat:"),
    "explodes": ("violet", ":material/trending_up:"),
}


def show_verdicts(series: Sequence[Series], theory: Sequence[TheoryLine]) -> None:
    """Draw a card a curve: the verdict, how much of the gradient arrives, and its half-life beside the theory's.

    Args:
        series: The curves on screen.
        theory: The closed forms on screen; each is set beside the curve it is about.
    """
    for column, one in zip(st.columns(len(series)), series, strict=True):
        with column.container(border=True, height="stretch"):
            colour, icon = _BADGES[one.curve.verdict]
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{one.name}**", width="content")
                st.badge(verdict_word(one.curve.verdict), color=colour, icon=icon)
            share, half = st.columns(2)
            share.metric(_("reaches step 0"), percent(one.curve.log10_ratio))
            growing = one.curve.half_life < 0
            half.metric(
                _("doubles every (steps)") if growing else _("halves every (steps)"), steps(abs(one.curve.half_life))
            )
            for line in theory:
                if line.about == (one.network, one.curve.quantity):
                    st.caption(f"{line.name}: " + _("halves every {steps} steps").format(steps=steps(line.half_life)))
