"""The lesson behind the first picture, in short."""

from __future__ import annotations

import streamlit as st

from lstm_explorer.locales import _
from lstm_explorer.ui.navigation import PAGES_FOLDER


def show_lesson() -> None:
    """Draw the lesson: why the RNN forgets, why the LSTM can remember, when it fails, and five sentences."""
    st.header(_("What you just saw"))
    why, way_out, caveat = st.columns(3, gap="medium")
    with why:
        _part(
            _("Why the RNN loses it"),
            r"\frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}\!\big(1 - h_t^2\big)\, W_{hh}",
            _(
                "The hidden state is the RNN's only memory, and every step rewrites it. The gradient is multiplied by "
                "the **same** matrix and by slopes below 1 again and again: it shrinks (or, with large weights, grows) "
                "like a power. So the RNN is good at short memories and cannot learn links between distant steps."
            ),
        )
    with way_out:
        _part(
            _("Why the LSTM can keep it"),
            r"c_t = f_t \odot c_{t-1} + i_t \odot \tilde c_t \qquad "
            r"\left.\frac{\partial c_t}{\partial c_{t-1}}\right|_{\text{cell}} = f_t",
            _(
                "The **cell state** is the long-term memory: a road on which the past is only *scaled* by the forget "
                "gate and *added to*, so its gradient is multiplied by f and nothing else. The **hidden state** h is "
                "the working memory, the part the output gate shows. Gates are vectors, one value between 0 and 1 for "
                "every unit, computed from h and the new input."
            ),
        )
    with caveat:
        _part(
            _("When it does not"),
            r"\sigma(0)^{100} \approx 10^{-30} \qquad \sigma(5)^{100} \approx 0.5",
            _(
                "PyTorch leaves the forget bias near 0: f ≈ 0.5, and the LSTM vanishes like the RNN. With a bias of 5 "
                "the cell keeps, but the other paths, through h and the gates, add up and the gradient **explodes**; "
                "lowering the input bias as the forget bias rises (chrono) brings it back. And the product of forget "
                "gates is *not* the whole gradient: compare the solid with the dotted line."
            ),
        )
    with st.expander(_("The lesson in five sentences")):
        st.markdown(
            _(
                "1. An RNN's hidden state is a memory of what was read, strong for the last few steps and weak for old "
                "ones.\n"
                "2. Learning sends the gradient back through all steps; the same weights are applied each time, so it "
                "vanishes towards 0 or explodes, and long-term dependencies are not learnt.\n"
                "3. The way out is a direct path on which information neither shrinks nor grows by itself, with gates "
                "that decide what to keep (forget gate), what to write (input gate, candidate) and what to show "
                "(output gate).\n"
                "4. The heart of the LSTM is c = f · c(before) + i · candidate: keep some, add some.\n"
                "5. With the gates set well, distant steps stay connected, which is what made speech, handwriting and "
                "translation work."
            )
            + "\n\n"
            + _(
                "*Two slips that many notes share:* a forget gate near **1 keeps** and near **0 erases**, whatever its "
                "name suggests; and the **cell** state is the long-term memory, the hidden state the short-term one."
            )
        )

    st.page_link(
        PAGES_FOLDER / "lesson.py", label=_("The whole lesson: ten chapters, each with a figure and a question"),
        icon=":material/school:",
    )  # fmt: skip


def _part(title: str, formula: str, text: str) -> None:
    # One element, not three: at every move of a slider Streamlit goes through all elements of the page, seen or not.
    st.markdown(f"### {title}\n$$\n{formula}\n$$\n{text}")
