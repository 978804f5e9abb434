"""Pieces of a page's long work that the cluster of this server measures, where a setting names one.

Several are under way at a time. A run takes those that have arrived, hands over the next ones, draws, and ends, as it
does with what is measured here; so a reader waits for no other one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from lstm_explorer.locales import _, translated
from lstm_explorer.runs.job import Job
from lstm_explorer.runs.scheduler import TROUBLES, Scheduler, Trouble, scheduler
from lstm_explorer.ui.work import Pieces, stopped, under_way

if TYPE_CHECKING:
    from lstm_explorer.runs.cluster.link import Link

#: Seconds that a run waits for the next piece before it draws what there is.
_PATIENCE = 0.6
#: Pieces under way for each thread of a worker: the next one is there when it is done with one. Of what carries a
#: state from piece to piece, one is measured, and the next waits for it there.
_AHEAD = 2
#: Somebody waits for these, and for a training less.
_PRIORITY = 1


class Elsewhere:
    """Has the cluster measure for one run of a page, and says so once."""

    def __init__(self) -> None:
        """Say nothing yet."""
        self._patience, self._said = _PATIENCE, False

    def measures(self, job: Job[Any], size: int, parts: Pieces, here: Callable[[int, int], Any]) -> bool:
        """Take what has arrived and hand over what comes next; return whether the cluster measures the rest.

        Args:
            job: What is measured.
            size: Units of a piece.
            parts: Its pieces, which grow.
            here: Measures one here: a piece that fails there shows here whether it is the workers' fault.
        """
        named = scheduler()
        if named is None:
            return False
        goes_there = self._advance(named, job, size, parts, here)
        self._say(named, parts)
        return goes_there

    def _advance(
        self, named: Scheduler, job: Job[Any], size: int, parts: Pieces, here: Callable[[int, int], Any]
    ) -> bool:
        link = named.link()
        if link is None or stopped(job):
            parts.let_go()
            return False
        if parts.link is not link:
            parts.let_go()
            parts.link = link
        from lstm_explorer.runs.cluster.link import FailedError, LostError  # there is a link, so they can be imported

        try:
            _hand_over(link, job, size, parts)
            self._take(link, job, size, parts)
            _hand_over(link, job, size, parts)
        except LostError as error:
            parts.let_go()
            named.give_up("silent", error)
            return False
        except FailedError as error:
            parts.let_go()
            first = len(parts) * size
            here(first, min(first + size, job.total))
            named.give_up("unfit", error)
            return False
        return True

    def _take(self, link: Link, job: Job[Any], size: int, parts: Pieces) -> None:
        """Take what has arrived, in its order; wait a moment for the first."""
        while (first := len(parts) * size) in parts.under_way:
            answer = link.answer(parts.under_way[first], self._patience)
            self._patience = 0.0
            if answer is None:
                return
            parts[first], parts.carried = answer
            del parts.under_way[first]
            parts.workers = link.workers

    def _say(self, named: Scheduler, parts: Pieces) -> None:
        """Say that it was measured there, or why not; once a page."""
        if self._said or not (named.trouble or parts.workers):
            return
        self._said = True
        if named.trouble:
            trouble(named.trouble)
        else:
            st.caption(_("Measured on the cluster of this server (workers: {workers}).").format(workers=parts.workers))


def trouble(kind: Trouble) -> None:
    """Say why the cluster does nothing, in a box.

    Args:
        kind: Of the trouble.
    """
    st.warning(translated(TROUBLES[kind]), icon=":material/cloud_off:")


def _hand_over(link: Link, job: Job[Any], size: int, parts: Pieces) -> None:
    """Hand over as many of the next pieces as the cluster is to have of this session."""
    from lstm_explorer.runs.cluster.link import piece_of

    room = _AHEAD * link.threads - under_way()
    if job.carries:
        room = min(room, _AHEAD - len(parts.under_way))
    begun = (len(parts) + len(parts.under_way)) * size
    firsts = range(begun, job.total, size)[: max(room, 0)]
    if firsts and parts.shared is None:
        parts.shared = link.shared(job)
    for first in firsts:
        before = parts.under_way.get(first - size, (None, parts.carried)) if job.carries else None
        parts.under_way[first] = link.submit(
            piece_of, parts.shared, first, min(first + size, job.total), before, priority=_PRIORITY
        )
