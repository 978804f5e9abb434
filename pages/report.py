"""Report: the views the reader collected, in order, titled, annotated, and exported together."""

import streamlit as st

from lstm_explorer.locales import _
from lstm_explorer.ui import report
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page
from lstm_explorer.ui.report_editor import export_controls, item_editor, title_editor
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.work import continue_work


@fragment
def editor() -> None:
    """Draw every item with what belongs to it, then the exports of what could be drawn."""
    items = report.current().items
    if not items:
        st.info(
            _("The report is empty. Open a figure on any page and press **Add to report** beneath it."),
            icon=":material/note_add:",
        )
        return
    title_editor()
    top = st.container()  # the exports stand above, and are made of what is measured below
    runner = CachedRunner()
    entries = [item_editor(runner, index, item) for index, item in enumerate(items)]
    with top:
        export_controls([entry for entry in entries if entry is not None])
    continue_work()


open_page(__file__)
st.title(_("Report"))
st.markdown(
    _(
        "Collect views, put them in order, write what they show, and export them: one page that still moves, a PDF "
        "to hand in, or everything with data and scripts. The address bar holds the report, so a link shares it."
    )
)
editor()
