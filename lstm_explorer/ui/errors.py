"""Turn an error into one clear box; the traceback goes to the log, never to a reader."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator

import streamlit as st

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import markdown
from lstm_explorer.locales import _, translated

_LOG = logging.getLogger("lstm_explorer")

#: Modules whose ``ValueError`` and ``TypeError`` are written for the person who chose the values.
_SPEAKS_TO_READERS = "lstm_explorer.core"


class RefusedError(Exception):
    """Work that this server refuses; the message is for the reader, already in their language."""


@contextlib.contextmanager
def shielded() -> Iterator[None]:
    """Keep what fails inside from taking the rest of the page with it.

    A ``ValueError`` or ``TypeError`` raised by the core becomes one box with its message (what was expected, what came,
    and what to do). Anything else becomes a generic box and a record in the log. Streamlit's own stop and rerun
    pass through.

    Example:
        ``with shielded(): show_figure(plot_gradients(flows))``
    """
    try:
        yield
    except RefusedError as refused:
        st.warning(markdown(str(refused)), icon=":material/block:")
    except ExplainedError as error:
        st.error(markdown(translated(error.template).format(**error.values)), icon=":material/error:")
    except (ValueError, TypeError) as error:
        if _is_for_readers(error):
            st.error(markdown(str(error)), icon=":material/error:")
        else:
            _unexpected(error)
    except Exception as error:
        _unexpected(error)


def _is_for_readers(error: Exception) -> bool:
    """Tell whether the core itself raised the error, rather than a library or a mistake of ours."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and frames[-1][0].f_globals.get("__name__", "").startswith(_SPEAKS_TO_READERS)


def _unexpected(error: Exception) -> None:
    _LOG.error("a part of a page failed", exc_info=error)
    st.error(
        _(
            "This part of the page could not be drawn. The rest still works; please change a setting and try again. "
            "What happened was written to the server's log."
        ),
        icon=":material/error:",
    )
