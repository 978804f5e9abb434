"""Measurements for the pages: cached, bounded in memory, with progress and a way to stop."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import streamlit as st
import torch
from streamlit.errors import StreamlitAPIException

from lstm_explorer.core.gradients import GradientFlow
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.networks import build_network
from lstm_explorer.core.seeds import join_flows, seed_flows
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.core.trajectory import Trajectory, unroll
from lstm_explorer.figures.theory import RNNRates, rnn_rates
from lstm_explorer.locales import _
from lstm_explorer.ui import uploads
from lstm_explorer.ui.errors import Refused, shielded

#: Numbers of one state, ``T * B * H``, that one replica may have: about 200 bytes each at the peak, so 300 MB.
LARGEST_RUN = 1_500_000
#: Numbers of one state measured between two looks at the stop button: about half a second.
_BETWEEN_LOOKS = 1_500_000

#: Settings that an architecture does not read.
_NOT_READ: dict[Architecture, tuple[str, ...]] = {
    "rnn": (
        "input_bias", "forget_bias", "candidate_bias", "output_bias", "reset_bias", "update_bias", "split_biases",
    ),
    "lstm": ("reset_bias", "update_bias", "nonlinearity"),
    "gru": ("input_bias", "forget_bias", "output_bias", "nonlinearity"),
}  # fmt: skip
_DEFAULTS = {field.name: field.default for field in fields(Settings)}

#: What each session's long work has come to: replicas done, work stopped, and whether this run left any out.
_PROGRESS, _STOPPED, _UNFINISHED = "work_done", "work_stopped", "work_unfinished"

#: Streamlit walks every field of a record on its way into a cache; all of them stand in its text.
_BY_NAME: dict[str | type, Callable[[Any], Any]] = {Settings: repr}

_HEAVY_WORK = threading.Semaphore(1)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one measurement run in the whole process, on one thread: two at once make both late, and double memory."""
    with _HEAVY_WORK:
        # OpenMP counts its threads anew in every thread of Python, and Streamlit starts one for each rerun. With two,
        # the barrier spins against the browser: 75 to 145 ms for what takes 7 to 11.
        torch.set_num_threads(1)
        yield


def measure(settings: Settings, architecture: Architecture, *, units: bool = False) -> GradientFlow:
    """Return the flow of all replicas, from the cache where it is there.

    Work of more than a moment is done a few replicas a run (see :func:`continue_work`), with a progress bar and a stop
    button; what is done is drawn.

    Raises:
        Refused: One replica alone would not fit into this server's memory, or the uploaded table is not there.
    """
    _check_size(settings)
    if settings.input_kind == "csv" and uploads.current_table() is None:
        raise Refused(_("No table is loaded: choose a CSV file under Input, or another kind of input."))
    size = max(1, _BETWEEN_LOOKS // _numbers(settings))
    if settings.num_seeds <= size:
        return _flow(settings, architecture, units)
    return _step_by_step(settings, architecture, units, size)


class AppBench:
    """The app's bench (:class:`lstm_explorer.figures.exhibits.Bench`): results are kept, and what fails says why.

    A failure takes nothing else with it, and the same refusal of several networks is said once.
    """

    def __init__(self) -> None:
        """Nothing has been refused yet."""
        self._refused: set[str] = set()

    def flow(self, settings: Settings, architecture: Architecture, *, units: bool = False) -> GradientFlow | None:
        """Return the flow of all replicas, or None where a box says why not."""
        with shielded():
            try:
                return measure(settings, architecture, units=units)
            except Refused as refused:
                if str(refused) not in self._refused:
                    self._refused.add(str(refused))
                    raise
        return None

    def trajectory(self, settings: Settings, architecture: Architecture) -> Trajectory | None:
        """Return every state and gate of the first replica, or None where a box says why not."""
        first = _read_by(architecture, settings).replace(num_seeds=1)
        table = uploads.current_table() if settings.input_kind == "csv" else None
        with shielded():
            _check_size(first)
            return _unrolled(first, architecture, table.digest if table else "", table)
        return None

    def rates(self, settings: Settings) -> RNNRates | None:
        """Return the plain RNN's closed forms, or None where a box says why not."""
        first = _read_by("rnn", settings).replace(num_seeds=1, num_layers=1)
        table = uploads.current_table() if settings.input_kind == "csv" else None
        with shielded():
            return RNNRates(*_cached_rates(first, table.digest if table else "", table))
        return None

    def table(self) -> TableLike | None:
        """Return the session's uploaded table."""
        table = uploads.current_table()
        return table.values if table else None


def _numbers(settings: Settings) -> int:
    return settings.sequence_length * settings.batch_size * settings.hidden_size * settings.num_layers


def _check_size(settings: Settings) -> None:
    if _numbers(settings) > LARGEST_RUN:
        raise Refused(
            _(
                "This picture would need about {need:.0f} MB for one network; this server gives one {have:.0f} MB. "
                "Lower the sequence length ({steps}), the hidden size ({units}), the batch ({batch}) or the layers "
                "({layers}): their product is {product:,} and may be {limit:,}."
            ).format(
                need=_numbers(settings) * 2e-4,
                have=LARGEST_RUN * 2e-4,
                steps=settings.sequence_length,
                units=settings.hidden_size,
                batch=settings.batch_size,
                layers=settings.num_layers,
                product=_numbers(settings),
                limit=LARGEST_RUN,
            )
        )


def continue_work() -> None:
    """Run the page again where :func:`measure` left replicas out; the last line of every page that measures.

    Streamlit lets nobody interrupt a fragment. So a run measures a little, draws it, and ends: between two runs a click
    on the stop button, or on anything else, takes effect.
    """
    if not st.session_state.pop(_UNFINISHED, False):
        return
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:  # the first run of a page is not a fragment's own
        st.rerun()


def _step_by_step(settings: Settings, architecture: Architecture, units: bool, size: int) -> GradientFlow:
    """Measure a few replicas more than the last run did, unless the reader stopped."""
    work, total = (settings, architecture), settings.num_seeds
    progress = st.session_state.setdefault(_PROGRESS, {})
    stopped = work in st.session_state.setdefault(_STOPPED, set())
    done = progress.get(work, 0) if stopped else min(progress.get(work, 0) + size, total)
    progress[work] = done
    flows = [
        _flow(settings.replace(seed=settings.seed + first, num_seeds=min(size, done - first)), architecture, units)
        for first in range(0, done, size)
    ]
    if done < total:
        _show_progress(work, done, total, stopped=stopped)
    return join_flows(flows)


def _show_progress(work: tuple[Settings, Architecture], done: int, total: int, *, stopped: bool) -> None:
    key = f"{work[1]}_{hash(work)}"
    if stopped:
        st.info(_("Stopped: the picture shows {done} of {total} seeds.").format(done=done, total=total))
        st.button(_("Go on"), key=f"go_on_{key}", on_click=_go_on, args=(work,))
        return
    st.session_state[_UNFINISHED] = True
    st.progress(done / total, text=_("{done} of {total} seeds").format(done=done, total=total))
    st.button(_("Stop here"), key=f"stop_{key}", on_click=_stop, args=(work,))


def _stop(work: tuple[Settings, Architecture]) -> None:
    st.session_state[_STOPPED].add(work)


def _go_on(work: tuple[Settings, Architecture]) -> None:
    st.session_state[_STOPPED].discard(work)


def _flow(settings: Settings, architecture: Architecture, units: bool) -> GradientFlow:
    table = uploads.current_table() if settings.input_kind == "csv" else None
    return _measured(_read_by(architecture, settings), architecture, units, table.digest if table else "", table)


def _read_by(architecture: Architecture, settings: Settings) -> Settings:
    """Return the settings with those that this network does not read at their defaults: moving these costs nothing."""
    return settings.replace(**{name: _DEFAULTS[name] for name in _NOT_READ[architecture]})


# Not st.cache_data, which pickles every result on its way in and out. Nobody changes a result.
@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=_BY_NAME)
def _measured(
    settings: Settings, architecture: Architecture, units: bool, digest: str, _table: uploads.Upload | None
) -> GradientFlow:
    with _one_at_a_time():
        return seed_flows(settings, architecture=architecture, units=units, table=_table.values if _table else None)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_NAME)
def _unrolled(settings: Settings, architecture: Architecture, digest: str, _table: uploads.Upload | None) -> Trajectory:
    with _one_at_a_time():
        inputs = make_inputs(settings, table=_table.values if _table else None)
        return unroll(build_network(architecture, settings), inputs)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_BY_NAME)
def _cached_rates(settings: Settings, digest: str, _table: uploads.Upload | None) -> tuple[float, float]:
    with _one_at_a_time():
        return rnn_rates(settings, _table.values if _table else None)
