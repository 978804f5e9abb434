"""Long work of a session: one piece per run, with its progress and a button that stops it."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Container
from typing import Any, TypeVar

import streamlit as st
from streamlit.errors import StreamlitAPIException

from lstm_explorer.locales import _
from lstm_explorer.runs.job import Job

T = TypeVar("T")

#: State of a session's long work: units done, jobs stopped, and whether this run was incomplete.
_PROGRESS, _STOPPED, _UNFINISHED = "work_done", "work_stopped", "work_unfinished"
#: Seconds that somebody waits before a place in the queue is shown.
_PATIENT = 1.0
#: Pieces of a session's last large measurements; a page shows two at once, a report more.
_PARTS, _JOBS_KEPT = "work_parts", 3
#: The page of a session's last run.
_PAGE = "work_page"


def measured_pieces(job: Job[Any], shown: Container[Job[Any]]) -> Pieces:
    """Return the pieces of a job that this session has measured, by first unit; only the last few jobs keep theirs.

    Args:
        job: The job.
        shown: The jobs of this run, this one among them. All of them keep their pieces: one dropped for the next would
            be measured again, and drop another, without end.
    """
    kept = _kept()
    if job not in kept:
        st.session_state.get(_PROGRESS, {}).pop(job, None)  # else all of it would be measured again in one run
    others = [] if job in kept else [one for one in kept if one not in shown]
    parts = kept[job] = kept.pop(job) if job in kept else Pieces()
    parts.asked = True
    for dropped in others[: max(0, len(kept) - _JOBS_KEPT)]:
        del kept[dropped]
    return parts


def numbers_kept(*, but: Job[Any]) -> int:
    """Return how many numbers the kept pieces of all sessions may come to hold, one job of this session left out."""
    of_all = sum(job.result_numbers for kept in list(_ALL_KEPT.values()) for job in list(kept))
    return of_all - (but.result_numbers if but in _kept() else 0)


class Pieces(dict[int, Any]):
    """The pieces of a job that are measured, by first unit.

    Attributes:
        carried: What the last one passes on to the next.
        under_way: Those that a cluster measures, by first unit.
        link: The connection by which they were handed over.
        shared: What stands for the job there.
        workers: How many workers it had when it measured the last one; 0 where all were measured here.
        asked: Whether the run that goes on has asked for them.
    """

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.carried: Any = None
        self.under_way: dict[int, Any] = {}
        self.link: Any = None
        self.shared: Any = None
        self.workers, self.asked = 0, False

    def let_go(self) -> None:
        """Have the cluster drop what is under way: it does so with all that nobody holds."""
        self.under_way.clear()
        self.link = self.shared = None


class _Kept(dict[Job[Any], Pieces]):
    """The jobs of a session with their pieces, and when it last asked for them; it ends with the session."""

    used = 0.0


_ALL_KEPT: weakref.WeakValueDictionary[int, _Kept] = weakref.WeakValueDictionary()


def _kept() -> _Kept:
    if _PARTS not in st.session_state:
        kept = st.session_state[_PARTS] = _Kept()
        _ALL_KEPT[id(kept)] = kept
    mine: _Kept = st.session_state[_PARTS]
    mine.used = time.monotonic()
    return mine


def drop_unused_pieces(seconds: float) -> None:
    """Forget the pieces of sessions that have not asked for them lately: a reader who left may still come back."""
    for kept in list(_ALL_KEPT.values()):
        if kept.used < time.monotonic() - seconds:
            kept.clear()


def let_go() -> None:
    """End this run where its reader has left: Streamlit looks for that whenever its state is asked for something."""
    st.session_state.get(_PROGRESS)


class Waiting:
    """Tells a reader who waits for a turn at measuring how many come before."""

    def __init__(self) -> None:
        """Begin to wait."""
        self._began, self._said = time.monotonic(), 0
        self._place: Any = None

    def __call__(self, before: int) -> None:
        """Say the place, once it takes a while, where the figure will stand; end where the reader has left."""
        let_go()
        if before != self._said and time.monotonic() - self._began > _PATIENT:
            self._said = before
            # No toast: a fragment may write nowhere but into itself.
            self._place = self._place or st.empty()
            self._place.caption(_("This server is busy. Measurements before yours: {before}").format(before=before))

    def over(self) -> None:
        """Take the place away."""
        if self._place is not None:
            self._place.empty()


def stopped(job: Job[Any]) -> bool:
    """Tell whether the reader has stopped a job."""
    return job in st.session_state.setdefault(_STOPPED, set())


def under_way() -> int:
    """Return how many pieces a cluster measures for this session."""
    return sum(len(parts.under_way) for parts in _kept().values())


def pieces_so_far(
    job: Job[T], size: int, piece: Callable[[int, int], T], *, grow: bool = True, have: int = 0
) -> list[T]:
    """Return the pieces done so far.

    Args:
        job: The job.
        size: Units of a piece, at most.
        piece: Does one, or has it already.
        grow: Whether this run may do one more than the last did.
        have: Units that are there already, measured elsewhere.
    """
    progress = st.session_state.setdefault(_PROGRESS, {})
    stays = stopped(job)
    done = max(progress.get(job, 0), have)
    if done < job.total and (done == 0 if stays else grow):
        done = min(done + size, job.total)
    progress[job] = done
    pieces = [piece(first, min(first + size, done)) for first in range(0, done, size)]
    if done < job.total:
        _show_progress(job, done, stopped=stays)
    return pieces


def _show_progress(job: Job[Any], done: int, *, stopped: bool) -> None:
    # Jobs of two kinds on one experiment have one hash: it leaves their class out.
    key, counts = f"{type(job).__name__}_{hash(job)}", {"done": done, "total": job.total}
    if stopped:
        shown = {
            "seeds": _("Stopped: the picture shows {done} of {total} seeds."),
            "biases": _("Stopped: the picture shows {done} of {total} biases."),
            "steps": _("Stopped after {done} of {total} measurements."),
            "rows": _("Stopped: the map has {done} of {total} rows."),
        }
        st.info(shown[job.unit].format(**counts))
        st.button(_("Go on"), key=f"go_on_{key}", on_click=_go_on, args=(job,))
        return
    st.session_state[_UNFINISHED] = True
    counted = {
        "seeds": _("{done} of {total} seeds"),
        "biases": _("{done} of {total} biases"),
        "steps": _("{done} of {total} measurements"),
        "rows": _("{done} of {total} rows"),
    }
    st.progress(done / job.total, text=counted[job.unit].format(**counts))
    st.button(_("Stop here"), key=f"stop_{key}", on_click=_stop, args=(job,))


def _stop(job: Job[Any]) -> None:
    st.session_state[_STOPPED].add(job)
    if job in _kept():
        _kept()[job].let_go()


def _go_on(job: Job[Any]) -> None:
    st.session_state[_STOPPED].discard(job)


def continue_work() -> None:
    """Run the page again where :func:`pieces_so_far` was incomplete; the last line of every page that measures.

    Streamlit cannot interrupt a fragment. So a run measures one piece, draws it, and ends: between two runs a click on
    the stop button, or on anything else, takes effect.
    """
    _let_go_of_the_unasked()
    if not st.session_state.pop(_UNFINISHED, False):
        return
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:  # the first run of a page is not a fragment's own
        st.rerun()


def enter(page: str) -> None:
    """Have a cluster drop what it measures for another page.

    Args:
        page: The page that is open from now on.
    """
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        for parts in st.session_state.get(_PARTS, {}).values():
            parts.let_go()


def _let_go_of_the_unasked() -> None:
    """Have a cluster drop what the run that ends has not asked for: the reader has chosen something else."""
    for parts in st.session_state.get(_PARTS, {}).values():
        if not parts.asked:
            parts.let_go()
        parts.asked = False
