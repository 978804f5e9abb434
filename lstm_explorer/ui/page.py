"""How a page opens, and the frame around it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_explorer.core.escape import markdown, one_line
from lstm_explorer.core.record import LeftOut, schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.view import View
from lstm_explorer.figures.theme import theme_of
from lstm_explorer.locales import _
from lstm_explorer.ui import address, session, work
from lstm_explorer.ui.browser import close_menu, reach_by_keyboard
from lstm_explorer.ui.figure import theme_name
from lstm_explorer.ui.language import PARAMETER, language_picker
from lstm_explorer.ui.navigation import require_entry
from lstm_explorer.ui.uploads import drop_unread

#: Shipped, because a named icon would be fetched from elsewhere.
ICON = Path(__file__).with_name("icon.svg")

#: Most sentences about an address, and the longest reason in one.
_MOST_REMARKS, _LONGEST_REASON = 8, 300

# Streamlit leaves six empty rem above the page and five beside it. The language sits in the header bar, whose right end
# is taken by Streamlit's own menu: level with the header (999990), under the menu that opens on a phone (999991).
_STYLE = """<style>
.stMainBlockContainer { padding: 4rem clamp(1rem, 3vw, 3rem) 3rem; }
.stMain :is(h1, h2, h3, p, li, td, th) { word-break: keep-all; overflow-wrap: anywhere; }
.stMain h1 { padding: 0 0 .25rem; font-size: clamp(1.6rem, 2.6vw, 2.1rem); }
.stMain .stVerticalBlock { gap: .75rem; }
.stMain .katex-display { overflow: auto hidden; }
@media (max-width: 640px) {
  .stVerticalBlock:is([class*="_row"]) > * > .stHorizontalBlock:has(> .stColumn),
  .stVerticalBlock:is([class*="_row"]) > .stHorizontalBlock:has(> .stColumn) { flex-direction: column-reverse; }
  .stMain .modebar-container { display: none; }
  .stMain .katex-display { font-size: .9em; }
  .st-key-step_row > :has(> .st-key-step_slider) { flex: 1 0 100%; }
  .st-key-hand_row .stColumn:last-child { position: sticky; top: 3.5rem; z-index: 9; max-height: 62vh; overflow-y: auto;
    background: var(--page); border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
}
.st-key-frame { position: fixed; top: 0.85rem; right: 3.75rem; z-index: 999990; width: auto; }
</style>"""


#: Streamlit writes white on the primary colour; on the light blue of the dark theme nobody could read that.
_DARK_STYLE = (
    "<style>button[data-testid=stBaseButton-primary]:not(:disabled) "
    f"{{ color: {theme_of('dark').background}; }}</style>"
)


def frame() -> None:
    """Draw the frame of every page."""
    drop_unread()
    background = f"<style>:root {{ --page: {theme_of(theme_name()).background}; }}</style>"
    st.html(_STYLE + background + (_DARK_STYLE if theme_name() == "dark" else ""))
    with st.container(key="frame", width="content"):
        language_picker()
        close_menu()
        reach_by_keyboard()


def open_page(
    file: str, *, view: type[View] = View, lists: Mapping[str, address.ListParameter] = address.NO_LISTS
) -> None:
    """Open a page; its first line: ``open_page(__file__)``.

    Afterwards ``session.current_settings()`` and ``session.current_view()`` are legal on this page, the address bar
    matches them, and corrections to the address are listed.

    Args:
        file: The page's ``__file__``.
        view: Class of the page's view record.
        lists: Name of each repeated parameter, and what reads one text of it, such as ``{"pin": Pin.from_text}``.
    """
    require_entry()
    work.enter(Path(file).stem)
    address.open_page(Path(file).stem, view=view, lists=lists)
    _show_corrections(view)


def picture_columns(key: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return a narrow column for controls and a wide one for the picture.

    Args:
        key: Of the row. On a phone the picture comes first where it ends in ``_row``.
    """
    with st.container(key=key):
        controls, picture = st.columns([3, 8], gap="medium")
    return controls, picture


def _show_corrections(view: type[View]) -> None:
    """List the corrections to the address in one box, until it is dismissed or settings change."""
    corrections = session.current_corrections()
    if not corrections:
        return
    with st.container(key="corrections"):
        lines = [_("The address asked for something that is not possible here:")]
        lines += [f"- {_sentence(remark, view)}" for remark in corrections[:_MOST_REMARKS]]
        if more := len(corrections) - _MOST_REMARKS:
            lines += [_("- and {count} more").format(count=more)] if more > 0 else []
        st.warning("\n".join(lines), icon=":material/build:")
        st.button(_("Dismiss"), key="dismiss_corrections", on_click=session.dismiss)


def _sentence(remark: session.Remark, view: type[View]) -> str:
    name, came = markdown(one_line(remark.name)), _quoted(remark.given)
    if isinstance(remark, LeftOut):
        return _("**{name}** was {came}: {why}; it was left out.").format(
            name=name, came=came, why=markdown(one_line(remark.why, _LONGEST_REASON))
        )
    if remark.used == "":
        return _("**{name}** was {came}: this page cannot read that, and left it out.").format(name=name, came=came)
    return _("**{name}** was {came}: expected {expected}; {taken} is used.").format(
        name=name, came=came, expected=markdown(_expected(remark.name, view)), taken=_quoted(_as_text(remark.used))
    )


def _expected(name: str, view: type[View]) -> str:
    """Return the legal values of a parameter on the open page, in words."""
    if name in session.current_limits():
        return _range(*session.current_limits()[name])
    if name == PARAMETER:
        return _("a language of this app")
    field = {**schema(Settings), **schema(view)}[name]
    if field.kind is tuple:
        return _("any of {options}, joined by hyphens").format(options=", ".join(field.options))
    if field.options:
        return _("one of {options}").format(options=", ".join(field.options))
    if field.limits is not None:
        return _range(*field.limits)
    if field.reader is not None:
        return _("a text that this page wrote")
    return _("0 or 1") if field.kind is bool else _("a text that is not empty and not too long")


def _range(low: float, high: float) -> str:
    return _("{low} to {high}").format(low=f"{low:g}", high=f"{high:g}")


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(int(value) if isinstance(value, bool) else value)


def _quoted(text: str) -> str:
    """Return text that came from outside, shortened, as it is and not as Markdown."""
    return markdown(one_line(text)) or _("empty")
