"""The controls of the cell by hand: its phases, and the challenges with their check."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lstm_explorer.core.by_hand import CHALLENGES, Phase, bias_of_gate, check, run_by_hand
from lstm_explorer.exhibits.by_hand import challenge_hint, challenge_text, challenge_title
from lstm_explorer.exhibits.inside import MOST_PHASES, phases_of, text_of
from lstm_explorer.locales import _, translated
from lstm_explorer.ui import session
from lstm_explorer.ui.controls import setting_choice

_SOLVED = "lstm_explorer_solved"
_FIELDS = ("forget", "input", "output", "value")


def challenge_control() -> None:
    """Draw the choice of a challenge, and its task."""
    solved = _solved()
    titles = {"none": _("free")} | {
        code: f"{challenge_title(code)} ✓" if code in solved else challenge_title(code) for code in CHALLENGES
    }
    setting_choice("challenge", _("Challenge"), titles)
    code = session.current_view().challenge
    if code != "none":
        st.info(challenge_text(code), icon=":material/flag:")


def phase_controls() -> None:
    """Draw every phase: where it ends, its gates and its candidate."""
    phases = phases_of(session.current_view().hand)
    for index, phase in enumerate(phases):
        first = phases[index - 1].until + 1 if index else 1
        label = _("Steps {first} to {last}").format(first=first, last=phase.until)
        with st.expander(label, expanded=True, key=f"phase_{index}"):
            _phase(index, phase, phases)
    with st.container(horizontal=True):
        st.button(
            _("One more phase"), key="phase_more", icon=":material/add:", disabled=len(phases) >= MOST_PHASES,
            on_click=_more,
        )  # fmt: skip
        st.button(
            _("Drop the last"), key="phase_less", icon=":material/remove:", disabled=len(phases) <= 1, on_click=_less
        )


def note_solved() -> None:
    """Remember the challenge where it is solved now: it stays solved for this visit."""
    code = session.current_view().challenge
    if code != "none" and not check(code, run_by_hand(phases_of(session.current_view().hand))):
        _solved().add(code)


def challenge_verdict() -> None:
    """Show that the challenge is solved, or its first mistake with a hint."""
    code = session.current_view().challenge
    if code == "none":
        return
    mistakes = check(code, run_by_hand(phases_of(session.current_view().hand)))
    if not mistakes:
        st.success(_("Solved."), icon=":material/check_circle:")
        return
    first = mistakes[0]
    message = translated(first.expected).format(**first.values)
    st.warning(_("Step {step}: {message}").format(step=first.step, message=message), icon=":material/flag:")
    if code in _solved():
        st.caption(_("You have solved it before."))
    with st.expander(_("A hint")):
        st.markdown(challenge_hint(code))


def _solved() -> set[str]:
    """Return the challenges that were solved in this visit."""
    solved: set[str] = st.session_state.setdefault(_SOLVED, set())
    return solved


def _phase(index: int, phase: Phase, phases: list[Phase]) -> None:
    names = {
        "forget": _("forget gate f"), "input": _("input gate i"), "output": _("output gate o"),
        "value": _("candidate g"),
    }  # fmt: skip
    for name in _FIELDS:
        _slider(index, name, names[name], -1.0 if name == "value" else 0.0, 1.0, 0.01, getattr(phase, name))
    st.caption(
        _("As gate biases: f {forget}, i {input}, o {output}.").format(
            **{name: _signed(bias_of_gate(getattr(phase, name))) for name in ("forget", "input", "output")}
        )
    )
    if index < len(phases) - 1:
        low = phases[index - 1].until + 1 if index else 1
        _slider(index, "until", _("to step"), low, phases[index + 1].until - 1, 1, phase.until)


def _signed(bias: float) -> str:
    return f"{bias:+.2g}".replace("-", "−").replace("inf", "∞")


def _slider(index: int, name: str, label: str, low: float, high: float, step: float, value: float) -> None:
    key = f"hand_{name}_{index}"
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    if low < high:
        st.slider(label, low, high, step=step, key=key, on_change=_write_back, args=(index, name, key))


def _write_back(index: int, name: str, key: str) -> None:
    phases = phases_of(session.current_view().hand)
    phases[index] = replace(phases[index], **{name: st.session_state[key]})
    session.apply(hand=text_of(phases))


def _more() -> None:
    """Split the last phase in two halves."""
    phases = phases_of(session.current_view().hand)
    last = phases[-1]
    begun = phases[-2].until if len(phases) > 1 else 0
    middle = (begun + last.until) // 2
    if begun < middle < last.until:
        session.apply(hand=text_of([*phases[:-1], replace(last, until=middle), last]))


def _less() -> None:
    """Remove the last phase; the one before it lasts to the end."""
    phases = phases_of(session.current_view().hand)
    session.apply(hand=text_of([*phases[:-2], replace(phases[-2], until=phases[-1].until)]))
