"""Long work of a session: done a piece a run, with progress and a way to stop."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, NamedTuple, TypeVar

import streamlit as st
from streamlit.errors import StreamlitAPIException

from lstm_explorer.core.settings import Settings
from lstm_explorer.locales import _

T = TypeVar("T")

#: What each session's long work has come to: replicas done, work stopped, and whether this run left any out.
_PROGRESS, _STOPPED, _UNFINISHED = "work_done", "work_stopped", "work_unfinished"
#: Parts of a session's last few large maps; a page shows two at once, a report more.
_PARTS, _MAPS_KEPT = "work_parts", 3


class Work(NamedTuple):
    """Long work of a session: over what it goes, of which settings, and what else tells it from others."""

    what: str
    settings: Settings
    rest: str


def parts_of(work: Work, shown: Container[Work]) -> dict[int, Any]:
    """Return what is measured of a session's map, by the first bias: of the last few maps only, they are large.

    Args:
        work: The map.
        shown: The maps of this run, this one among them. They stay, however many: a report shows all it holds, and one
            dropped for the next would be begun anew, and drop another, run after run for ever.
    """
    kept: dict[Work, dict[int, Any]] = st.session_state.setdefault(_PARTS, {})
    others = [] if work in kept else [one for one in kept if one not in shown]
    parts = kept[work] = kept.pop(work, {})
    for dropped in others[: max(0, len(kept) - _MAPS_KEPT)]:
        del kept[dropped]
        st.session_state.get(_PROGRESS, {}).pop(dropped, None)  # or all of it would be measured again in one run
    return parts


def step_by_step(work: Work, total: int, size: int, piece: Callable[[int, int], T]) -> list[T]:
    """Return the pieces, each of at most so many things, that are done by now; one more than the last run did.

    Where all fit into one piece there is no progress to show.
    """
    if total <= size:
        return [piece(0, total)]
    progress = st.session_state.setdefault(_PROGRESS, {})
    stopped = work in st.session_state.setdefault(_STOPPED, set())
    done = progress.get(work, size) if stopped else min(progress.get(work, 0) + size, total)
    progress[work] = done
    pieces = [piece(first, min(first + size, done)) for first in range(0, done, size)]
    if done < total:
        _show_progress(work, done, total, stopped=stopped)
    return pieces


def _show_progress(work: Work, done: int, total: int, *, stopped: bool) -> None:
    key, seeds = f"{work.what}_{hash(work)}", work.what == "seeds"
    if stopped:
        shown = _("Stopped: the picture shows {done} of {total} seeds.") if seeds else _(
            "Stopped: the picture shows {done} of {total} biases."
        )  # fmt: skip
        st.info(shown.format(done=done, total=total))
        st.button(_("Go on"), key=f"go_on_{key}", on_click=_go_on, args=(work,))
        return
    st.session_state[_UNFINISHED] = True
    counted = _("{done} of {total} seeds") if seeds else _("{done} of {total} biases")
    st.progress(done / total, text=counted.format(done=done, total=total))
    st.button(_("Stop here"), key=f"stop_{key}", on_click=_stop, args=(work,))


def _stop(work: Work) -> None:
    st.session_state[_STOPPED].add(work)


def _go_on(work: Work) -> None:
    st.session_state[_STOPPED].discard(work)


def continue_work() -> None:
    """Run the page again where :func:`step_by_step` left something out; the last line of every page that measures.

    Streamlit lets nobody interrupt a fragment. So a run measures a little, draws it, and ends: between two runs a click
    on the stop button, or on anything else, takes effect.
    """
    if not st.session_state.pop(_UNFINISHED, False):
        return
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:  # the first run of a page is not a fragment's own
        st.rerun()
