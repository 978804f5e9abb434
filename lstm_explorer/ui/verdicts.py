"""The cards beneath the first picture: which gradient vanishes, survives or explodes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lstm_explorer.core.escape import markup
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE, VANISHES_BELOW
from lstm_explorer.exhibits.curve_summaries import course_words, curve_name, gradient_of, verdict_word
from lstm_explorer.figures.curves import Series, TheoryLine
from lstm_explorer.figures.formatting import percent, steps
from lstm_explorer.figures.theme import theme_of
from lstm_explorer.locales import _
from lstm_explorer.ui.figure import theme_name

#: Symbols of the verdicts, readable without colour.
_SIGNS = {"vanishes": "↘", "survives": "→", "explodes": "↗"}

_STYLE = """<style>
.verdicts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem; margin: 0; }
.verdicts section { border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: .5rem;
  border-top: 4px solid var(--network); padding: .8rem 1rem; }
.verdicts h4 { margin: 0 0 .6rem; padding: 0; font-size: 1rem;
  display: flex; justify-content: space-between; gap: .5rem; }
.verdicts dl { display: flex; align-items: baseline; gap: .6rem; flex-direction: row-reverse;
  justify-content: flex-end; margin: 0; padding: 0; }
.verdicts dt { margin: 0; padding: 0; font-size: .85rem; opacity: .75; }
.verdicts dd { margin: 0; padding: 0; font-size: 1.6rem; }
.verdicts p { margin: .5rem 0 0; font-size: .85rem; opacity: .75; }
</style>"""


def show_verdicts(series: Sequence[Series], theory: Sequence[TheoryLine]) -> None:
    """Draw a card per curve: the verdict, how much of the gradient arrives, and its rate beside the theory's.

    One block of HTML, not a dozen widgets: it is redrawn at every move of a slider.

    Args:
        series: The curves on screen.
        theory: The closed forms on screen; each is written on the card of the curve that it predicts.
    """
    cards = "".join(_card(one, [line for line in theory if line.about == _about(one)]) for one in series)
    st.html(f'{_STYLE}<div class="verdicts">{cards}</div>')
    st.caption(
        _("*Vanishes*: less than {low:.0%} reaches step 0. *Explodes*: more than {high:g} times as much.").format(
            low=VANISHES_BELOW, high=EXPLODES_ABOVE
        )
    )


def _about(one: Series) -> tuple[str, str]:
    return one.network, one.curve.quantity


def _card(one: Series, theory: Sequence[TheoryLine]) -> str:
    curve = one.curve
    course, arrives = course_words(curve), _("reaches step 0")
    notes = "".join(f"<p>{markup(text)}</p>" for text in (course, *map(_theory_sentence, theory)) if text)
    return (
        f'<section style="--network: {theme_of(theme_name()).networks[one.network]}">'
        f"<h4><span>{markup(curve_name(one))}, {markup(gradient_of(curve.quantity))}</span>"
        f"<span>{_SIGNS[curve.verdict]} {markup(verdict_word(curve.verdict))}</span></h4>"
        f"<dl><dt>{markup(arrives)}</dt><dd>{percent(curve.log10_ratio)}</dd></dl>{notes}</section>"
    )


def _theory_sentence(line: TheoryLine) -> str:
    growing = line.half_life < 0
    sentence = _("{theory}: doubles every {steps} steps") if growing else _("{theory}: halves every {steps} steps")
    return sentence.format(theory=line.name, steps=steps(abs(line.half_life)))
