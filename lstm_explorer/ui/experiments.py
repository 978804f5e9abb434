"""Measurements for the pages: cached, bounded in memory, with progress and a way to stop."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import fields

import streamlit as st
import torch
from streamlit.errors import StreamlitAPIException

from lstm_explorer.core import theory
from lstm_explorer.core.gradients import GradientFlow
from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.networks import build_network
from lstm_explorer.core.seeds import join_flows, seed_flows
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.core.summaries import Quantity
from lstm_explorer.figures.gradients import TheoryLine
from lstm_explorer.locales import _
from lstm_explorer.ui import uploads
from lstm_explorer.ui.errors import Refused

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


def theory_lines(settings: Settings, architecture: Architecture, *, bound: bool = False) -> list[TheoryLine]:
    """Return the closed forms that belong to a network's curve, relative to its last step.

    Args:
        settings: The experiment.
        architecture: The network.
        bound: For the RNN, also the upper bound by the largest singular value.
    """
    if architecture == "rnn":
        rate, largest = _rnn_theory(settings)
        about: tuple[str, Quantity] = ("rnn", "hidden")
        lines = [TheoryLine(name=_("theory, mean field (RNN)"), log10_rate=_log10(rate), about=about, dash="dot")]
        if bound:
            name = _("theory, upper bound by the largest singular value (RNN)")
            lines.append(TheoryLine(name=name, log10_rate=_log10(largest), about=about, dash="longdashdot"))
        return lines
    if settings.recurrent_init == "chrono":
        return []  # every unit has a bias of its own: no single line
    if architecture == "lstm":
        rate = float(theory.log10_cell_path(settings.forget_bias, 1))
        return [TheoryLine(name=_("theory, σ(b_f)ᵏ (LSTM cell path)"), log10_rate=rate, about=("lstm", "cell_path"))]
    rate = float(theory.log10_cell_path(settings.update_bias, 1))
    return [TheoryLine(name=_("theory, σ(b_z)ᵏ (GRU direct path)"), log10_rate=rate, about=("gru", "hidden"))]


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
@st.cache_resource(max_entries=256, show_spinner=False)
def _measured(
    settings: Settings, architecture: Architecture, units: bool, digest: str, _table: uploads.Upload | None
) -> GradientFlow:
    with _one_at_a_time():
        return seed_flows(settings, architecture=architecture, units=units, table=_table.values if _table else None)


def _rnn_theory(settings: Settings) -> tuple[float, float]:
    """Return the mean-field rate and the singular-value bound of the first replica's first layer."""
    table = uploads.current_table() if settings.input_kind == "csv" else None
    first = _read_by("rnn", settings).replace(num_seeds=1, num_layers=1)
    return _cached_rnn_theory(first, table.digest if table else "", table)


@st.cache_data(max_entries=256, show_spinner=False)
def _cached_rnn_theory(settings: Settings, digest: str, _table: uploads.Upload | None) -> tuple[float, float]:
    with _one_at_a_time():
        return _rnn_rates(settings, _table)


def _rnn_rates(settings: Settings, table: uploads.Upload | None) -> tuple[float, float]:
    network = build_network("rnn", settings)
    inputs = make_inputs(settings, table=table.values if table else None)
    rate = theory.mean_field_of(network, inputs).rate
    return rate, theory.singular_value_bound(network.get_parameter("weight_hh_l0"), settings.nonlinearity)


def _log10(rate: float) -> float:
    return math.log10(rate) if rate > 0 else -math.inf
