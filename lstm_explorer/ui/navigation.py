"""The one registry of pages, in the order a learner meets them."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from lstm_explorer.locales import _
from lstm_explorer.ui.launch import APP_FOLDER

PAGES_FOLDER = APP_FOLDER / "pages"

#: Up to this many pages stand side by side; more are folded into one menu per group.
_SIDE_BY_SIDE = 9

#: Set once a session's run has gone through the entry.
_ENTERED = "lstm_explorer_entered"


def pages() -> dict[str, list[StreamlitPage]]:
    """Return every page, grouped, with titles in the running language; addresses never change with the language."""
    return {
        _("Learn"): [
            _page("start", _("Start here"), default=True),
            _page("lesson", _("Lesson")),
            _page("inside", _("Inside the cell")),
        ],
        _("Measure"): [
            _page("gradients", _("Gradient flow")),
            _page("biases", _("Gate biases")),
            _page("jacobians", _("Vanish or explode")),
        ],
        _("Real networks"): [
            _page("training", _("Training")),
            _page("sweeps", _("Sweeps")),
            _page("your_network", _("Your network")),
        ],
        _("Export"): [_page("report", _("Report"))],
    }


def choose() -> StreamlitPage:
    """Draw the navigation and return the page that the address asks for."""
    groups = pages()
    flat = [page for group in groups.values() for page in group]
    page = st.navigation(flat if len(flat) <= _SIDE_BY_SIDE else groups, position="top")
    # A process that nobody has visited runs even the entry inside the router for bare files: a widget drawn there has
    # another identity in the next run, and would lose what the reader set. Several sessions may be in that state at
    # once, and none can tell. So the first run of every session ends here, before any widget.
    if not st.session_state.get(_ENTERED):
        st.session_state[_ENTERED] = True
        st.rerun()
    return page


def require_entry() -> None:
    """Make sure that this page runs through the entry; every page calls it first (``ui/page.py``).

    Until some session has called ``st.navigation``, a process serves a deep link to ``/gradients`` as the bare file
    ``pages/gradients.py``: no navigation, no language, no settings. Calling it ends that mode for the process, and a
    rerun then goes through the entry, with the same page (its hash comes from the file name, which is its URL) and the
    same query. A whole class may open the same link on a server that just woke: each session looks at itself alone.
    """
    if not st.session_state.get(_ENTERED):
        st.navigation(pages(), position="hidden")
        st.rerun()


def _page(name: str, title: str, *, default: bool = False) -> StreamlitPage:
    """Register ``pages/<name>.py``; the name is its URL too, which the cold start relies on.

    Without an icon: the browser would fetch a page's icon from elsewhere, to show it on the tab.
    """
    return st.Page(PAGES_FOLDER / f"{name}.py", title=title, url_path=name, default=default)
