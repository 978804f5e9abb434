"""Measurements for the pages: cached, bounded in memory, with progress and a way to stop."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import streamlit as st
import torch

from lstm_explorer.core.engine.trajectory import Trajectory, unroll
from lstm_explorer.core.gradients.flow import GradientFlow
from lstm_explorer.core.gradients.seeds import join_flows, seed_flows
from lstm_explorer.core.inputs.kinds import TableLike, make_inputs
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.exhibits.exhibit import Bench
from lstm_explorer.exhibits.theory import RNNRates, rnn_rates
from lstm_explorer.exhibits.view import View
from lstm_explorer.locales import _
from lstm_explorer.ui import uploads
from lstm_explorer.ui.errors import Refused, shielded
from lstm_explorer.ui.startup import compile_recurrences
from lstm_explorer.ui.work import Work, parts_of, step_by_step

#: Numbers of one state, ``T * B * H``, that one replica may have: about 200 bytes each at the peak, so 300 MB.
LARGEST_RUN = 1_500_000
#: Numbers of one state measured between two looks at the stop button: about half a second.
_BETWEEN_LOOKS = 1_500_000
#: Numbers that the result of one picture may hold: a map has three of them, so 36 MB.
LARGEST_RESULT = 3_000_000
#: Numbers that all results of one page may hold that are measured in pieces, and so kept: a report has up to 24.
LARGEST_PAGE = 12_000_000
#: The same for biases, many of which are measured in one pass.
_SWEPT_BETWEEN_LOOKS = 4_000_000

#: Numbers of one state that are measured before anybody asks: some 10 ms.
_LARGEST_AHEAD = 100_000

#: Settings that an architecture does not read.
_NOT_READ: dict[Architecture, tuple[str, ...]] = {
    "rnn": (
        "input_bias", "forget_bias", "candidate_bias", "output_bias", "reset_bias", "update_bias", "split_biases",
    ),
    "lstm": ("reset_bias", "update_bias", "nonlinearity"),
    "gru": ("input_bias", "forget_bias", "output_bias", "nonlinearity"),
}  # fmt: skip
T = TypeVar("T")

_DEFAULTS = {field.name: field.default for field in fields(Settings)}

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

    Work of more than a moment is done a few replicas a run (see ``ui/work.py``), with a progress bar and a stop
    button; what is done is drawn.

    Raises:
        Refused: One replica alone would not fit into this server's memory, or the uploaded table is not there.
    """
    _check_size(settings)
    _check_table(settings)
    flows = step_by_step(
        Work("seeds", settings, architecture),
        settings.num_seeds,
        max(1, _BETWEEN_LOOKS // _numbers(settings)),
        lambda first, last: _flow(
            settings.replace(seed=settings.seed + first, num_seeds=last - first), architecture, units
        ),
    )
    return flows[0] if len(flows) == 1 else join_flows(flows)


class AppBench:
    """The app's bench (:class:`lstm_explorer.exhibits.registry.Bench`): results are kept, and what fails says why.

    A failure takes nothing else with it, and the same refusal of several networks is said once.
    """

    def __init__(self) -> None:
        """Nothing has been refused or swept yet."""
        self._refused: set[str] = set()
        self._swept: dict[Work, Any] = {}
        self._held = 0

    @contextlib.contextmanager
    def _said_once(self) -> Iterator[None]:
        """Shield what fails, and say the same refusal once, however many figures it keeps from being drawn."""
        compile_recurrences()
        with shielded():
            try:
                yield
            except Refused as refused:
                if str(refused) not in self._refused:
                    self._refused.add(str(refused))
                    raise

    def flow(self, settings: Settings, architecture: Architecture, *, units: bool = False) -> GradientFlow | None:
        """Return the flow of all replicas, or None where a box says why not."""
        with self._said_once():
            return measure(settings, architecture, units=units)
        return None

    def trajectory(self, settings: Settings, architecture: Architecture) -> Trajectory | None:
        """Return every state and gate of the first replica, or None where a box says why not."""
        first = _read_by(architecture, settings).replace(num_seeds=1)
        table = uploads.current_table() if settings.input_kind == "csv" else None
        with self._said_once():
            _check_size(first)
            return _unrolled(first, architecture, table.digest if table else "", table)
        return None

    def rates(self, settings: Settings) -> RNNRates | None:
        """Return the plain RNN's closed forms, or None where a box says why not."""
        first = _read_by("rnn", settings).replace(num_seeds=1, num_layers=1)
        table = uploads.current_table() if settings.input_kind == "csv" else None
        with self._said_once():
            return RNNRates(*_cached_rates(first, table.digest if table else "", table))
        return None

    def table(self) -> TableLike | None:
        """Return the session's uploaded table."""
        table = uploads.current_table()
        return table.values if table else None

    def measured(self, measure: Callable[..., T], settings: Settings, *, numbers: int = 1, **options: Any) -> T | None:
        """Return a measurement of the core, or None where a box says why not."""
        with self._said_once():
            _check_table(settings)
            _check_size(settings)
            _check_result(settings, numbers * settings.sequence_length)
            return _kept(measure, settings, **options)
        return None

    def swept(
        self,
        measure: Callable[..., T],
        join: Callable[[Sequence[T]], T],
        settings: Settings,
        *,
        biases: Sequence[float],
        runs: int = 1,
        **options: Any,
    ) -> T | None:
        """Return a measurement over biases, as many of them as are done by now; None where a box says why not."""
        table = uploads.current_table() if settings.input_kind == "csv" else None
        work = Work(measure.__name__, settings, repr((biases, options, table.digest if table else "")))
        if work in self._swept:  # several figures of a page may be about one map; its progress is shown once
            return self._swept[work]
        self._swept[work] = None
        with self._said_once():
            _check_table(settings)
            _check_size(settings)
            came = _check_result(settings, len(biases) * (settings.sequence_length if runs == 1 else runs))
            size = max(1, _SWEPT_BETWEEN_LOOKS // (_numbers(settings) * settings.num_seeds * runs))
            if size < len(biases):
                self._hold(came)
            parts = parts_of(work, self._swept)

            def part(first: int, last: int) -> T:
                if size >= len(biases):
                    return _kept(measure, settings, biases=tuple(biases), **options)
                if first not in parts:
                    parts[first] = _measured_now(measure, settings, biases=tuple(biases[first:last]), **options)
                return parts[first]

            self._swept[work] = join(step_by_step(work, len(biases), size, part))
        return self._swept[work]

    def _hold(self, numbers: int) -> None:
        """Count a result that the session keeps while the page shows it, or refuse one too many."""
        if self._held + numbers > LARGEST_PAGE:
            raise Refused(
                _(
                    "This large map and those above it would hold {came:,} numbers; this server keeps {limit:,} for a "
                    "page. Take a map out of the report, or lower its seeds, batch or sequence length."
                ).format(came=self._held + numbers, limit=LARGEST_PAGE)
            )
        self._held += numbers


class _QuietBench(AppBench):
    """A bench that keeps results for later; nobody asked, so nothing that fails is said."""

    @contextlib.contextmanager
    def _said_once(self) -> Iterator[None]:
        with contextlib.suppress(Exception):
            yield


def measure_ahead(build: Callable[[Bench, Settings, View], object], likely: Iterable[Settings]) -> None:
    """Measure what a reader is likely to ask for next, if it is quick and nobody else is measuring.

    Args:
        build: Makes the exhibit; what it measures is kept.
        likely: The settings to come.
    """
    for settings in likely:
        quick = _numbers(settings) * settings.num_seeds <= _LARGEST_AHEAD
        if quick and _HEAVY_WORK.acquire(blocking=False):
            _HEAVY_WORK.release()
            build(_QuietBench(), settings, View())


def _check_result(settings: Settings, numbers: int) -> int:
    """Return how many numbers a result holds, so many for every replica and sample; refuse too many."""
    came = numbers * settings.num_seeds * settings.batch_size
    if came > LARGEST_RESULT:
        raise Refused(
            _(
                "This picture would hold {came:,} numbers; this server keeps {limit:,}. Lower the seeds ({seeds}), the "
                "batch ({batch}) or the sequence length ({steps})."
            ).format(
                came=came,
                limit=LARGEST_RESULT,
                seeds=settings.num_seeds,
                batch=settings.batch_size,
                steps=settings.sequence_length,
            )
        )
    return came


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


def _check_table(settings: Settings) -> None:
    if settings.input_kind == "csv" and uploads.current_table() is None:
        raise Refused(_("No table is loaded: choose a CSV file under Input, or another kind of input."))


def _kept(measure: Callable[..., T], settings: Settings, **options: Any) -> T:
    """Return a measurement from the cache where it is there."""
    table = uploads.current_table() if settings.input_kind == "csv" else None
    digest = table.digest if table else ""
    result: T = _kept_under(measure.__name__, settings, repr(options), digest, measure, options)
    return result


def _measured_now(measure: Callable[..., T], settings: Settings, **options: Any) -> T:
    table = uploads.current_table() if settings.input_kind == "csv" else None
    with _one_at_a_time():
        return measure(settings, table=table.values if table else None, **options)


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


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs=_BY_NAME)
def _kept_under(
    name: str, settings: Settings, options: str, digest: str, _measure: Callable[..., Any], _options: dict[str, Any]
) -> Any:
    return _measured_now(_measure, settings, **_options)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_NAME)
def _unrolled(settings: Settings, architecture: Architecture, digest: str, _table: uploads.Upload | None) -> Trajectory:
    with _one_at_a_time():
        inputs = make_inputs(settings, table=_table.values if _table else None)
        return unroll(build_network(architecture, settings), inputs)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_BY_NAME)
def _cached_rates(settings: Settings, digest: str, _table: uploads.Upload | None) -> tuple[float, float]:
    with _one_at_a_time():
        return rnn_rates(settings, _table.values if _table else None)
