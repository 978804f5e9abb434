"""The app's runner: results are cached, long work is done piece by piece, and errors become messages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar, cast

import torch
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.inputs import INPUTS
from lstm_explorer.locales import _
from lstm_explorer.runs.direct import units_at_once
from lstm_explorer.runs.experiment import Moment, OwnTable
from lstm_explorer.runs.job import Job
from lstm_explorer.runs.own_networks import OwnFile
from lstm_explorer.runs.sweeps.table import SweepTable
from lstm_explorer.ui import checkpoints, sweep_files, uploads
from lstm_explorer.ui.drawing import DRAWING
from lstm_explorer.ui.elsewhere import Elsewhere
from lstm_explorer.ui.errors import RefusedError, shielded
from lstm_explorer.ui.result_cache import RESULTS
from lstm_explorer.ui.startup import compile_recurrences
from lstm_explorer.ui.turns import FullError, Turns
from lstm_explorer.ui.work import Waiting, let_go, measured_pieces, numbers_kept, pieces_so_far

T = TypeVar("T")

#: Numbers of one state, ``T * B * H``, that one replica may have: about 200 bytes each at the peak, so 300 MB.
LARGEST_RUN = 1_500_000
#: Numbers that the result of one picture may hold: a map has three of them, so 18 MB.
LARGEST_RESULT = 1_500_000
#: Numbers that the results may hold that are measured in pieces, and so kept: all of one page (a report has up to 24),
#: and those of all readers together, 54 MB.
LARGEST_PAGE, LARGEST_SERVER = 3_000_000, 4_500_000
#: Work of one run, after which a click on the stop button counts: about half a second.
_WORK_PER_RUN = 1_500_000
#: Work of what cannot be cut, and so not be stopped, about a second; and of a whole measurement, about a minute.
LARGEST_UNIT, LARGEST_WORK = 3_000_000, 180_000_000

#: Seconds per number of one state.
_SECONDS = 1 / 3_000_000

#: Work of a slider's move, some 50 ms, which is done at once: it would wait longer for a turn.
_AT_ONCE = 150_000
#: Who measures: one at a time in the process, as two at once delay both and double the memory.
_TURNS = Turns(most_waiting=200)


class CachedRunner:
    """Does jobs for a page: a failure leaves the rest of the page, and the same refusal is shown once."""

    def __init__(self, moment: Moment | None = None) -> None:
        """Start without results and refusals; a moment stands for the networks that settings draw."""
        self.moment = moment
        self._refused: set[str] = set()
        self._done: dict[Job[Any], Any] = {}
        self._reserved = 0
        self._spent = 0.0
        self._elsewhere = Elsewhere()

    @property
    def table(self) -> OwnTable | None:
        """The session's uploaded table."""
        return uploads.current_table()

    @property
    def own_file(self) -> OwnFile | None:
        """The session's uploaded checkpoint."""
        return checkpoints.current_file()

    @property
    def own_sweep(self) -> SweepTable | None:
        """The session's uploaded sweep."""
        own = sweep_files.current_sweep()
        return own.table if own else None

    def run(self, job: Job[T]) -> T | None:
        """Return a job's result, or the part of it that is done so far; None where a message says why not."""
        if job in self._done:  # several figures of a page may be about one measurement; its progress is shown once
            done: T | None = self._done[job]
            return done
        self._done[job] = None
        with self._each_refusal_once():
            self._done[job] = self._result(job)
        return self._done[job]

    def _result(self, job: Job[T]) -> T | None:
        _check_table(job)
        _check_size(job)
        _check_result(job)
        _check_work(job)
        size = units_at_once(job, _WORK_PER_RUN)
        if size >= job.total:
            return _cached(job, 0, job.total)[0]
        self._reserve(job)
        parts = measured_pieces(job, self._done)

        def part(first: int, last: int) -> T:
            if first not in parts:
                self._spent += (last - first) * job.work
                parts[first], parts.carried = _measure(job, first, last, parts.carried)
            return cast(T, parts[first])

        elsewhere = self._elsewhere.measures(job, size, parts, part)
        # One piece a run, whatever the page shows: a click on the stop button waits for the end of the run.
        grow = not elsewhere and self._spent < _WORK_PER_RUN
        pieces = pieces_so_far(job, size, part, grow=grow, have=min(len(parts) * size, job.total))
        return job.join(pieces) if pieces else None

    @contextlib.contextmanager
    def _each_refusal_once(self) -> Iterator[None]:
        """Turn errors into messages, and show the same refusal once, however many figures it affects."""
        compile_recurrences()
        with shielded():
            try:
                yield
            except (RefusedError, ExplainedError) as refused:
                if str(refused) not in self._refused:
                    self._refused.add(str(refused))
                    raise

    def _reserve(self, job: Job[Any]) -> None:
        """Count the numbers of a result that the session keeps, or refuse it where there would be too many."""
        numbers = job.result_numbers
        if numbers + numbers_kept(but=job) > LARGEST_SERVER:
            raise RefusedError(
                _(
                    "Other readers' large measurements fill the room that this server has for them: try again in some "
                    "minutes, or lower the seeds, the batch or the sequence length."
                )
            )
        if self._reserved + numbers > LARGEST_PAGE:
            raise RefusedError(
                _(
                    "This large map and those above it would hold {came:,} numbers; this server keeps {limit:,} for a "
                    "page. Take a map out of the report, or lower its seeds, batch or sequence length."
                ).format(came=self._reserved + numbers, limit=LARGEST_PAGE)
            )
        self._reserved += numbers


def _cached(job: Job[T], first: int, last: int, carried: Any = None) -> tuple[T, Any]:
    """Return a piece of a job from the cache of all sessions, measured where it is not kept."""
    return RESULTS.get((kept_as(job), first, last), lambda: _measure(job, first, last, carried))


def kept_as(job: Job[T]) -> Job[T]:
    """Return an equal job without the table's rows, as the key of what is kept for all sessions."""
    experiment = job.experiment.without_rows()
    key: Job[T] = job if experiment is job.experiment else replace(cast(Any, job), experiment=experiment)
    return key


def _measure(job: Job[T], first: int, last: int, carried: Any = None) -> tuple[T, Any]:
    """Measure on one thread; what takes a while, when it is this session's turn."""
    with contextlib.ExitStack() as stack:
        if (last - first) * job.work > _AT_ONCE:
            stack.enter_context(DRAWING.aside())
            _wait_for_turn(stack)
        # OpenMP counts its threads anew in every thread of Python, and Streamlit starts one for each rerun. With two,
        # the barrier spins against the browser: 75 to 145 ms for what takes 7 to 11.
        torch.set_num_threads(1)
        return job.piece(first, last, carried)


def _wait_for_turn(stack: contextlib.ExitStack) -> None:
    """Wait until it is this session's turn, which ends with the stack."""
    context, waiting = get_script_run_ctx(suppress_warning=True), Waiting()
    try:
        stack.enter_context(_TURNS.turn(context.session_id if context else "", waiting))
    except FullError:
        raise RefusedError(
            _("Too many readers wait for a measurement of this server already. Try again in a minute.")
        ) from None
    waiting.over()
    let_go()  # who left while they waited for their turn holds up nobody


def _check_table(job: Job[Any]) -> None:
    if INPUTS[job.experiment.settings.input_kind].reads_table and job.experiment.table is None:
        raise RefusedError(_("No table is loaded: choose a CSV file under Input, or another kind of input."))


def _check_size(job: Job[Any]) -> None:
    numbers, settings = job.experiment.numbers, job.experiment.settings
    if numbers > LARGEST_RUN:
        raise RefusedError(
            _(
                "This picture would need about {need:.0f} MB for one network; this server gives one {have:.0f} MB. "
                "Lower the sequence length ({steps}), the hidden size ({units}), the batch ({batch}) or the layers "
                "({layers}): their product is {product:,} and may be {limit:,}."
            ).format(
                need=numbers * 2e-4,
                have=LARGEST_RUN * 2e-4,
                steps=settings.sequence_length,
                units=settings.hidden_size,
                batch=settings.batch_size,
                layers=settings.num_layers,
                product=numbers,
                limit=LARGEST_RUN,
            )
        )


def _check_work(job: Job[Any]) -> None:
    """Refuse what keeps the server from everybody else for too long."""
    settings, whole = job.experiment.settings, job.total * job.work
    if job.work > LARGEST_UNIT or whole > LARGEST_WORK:
        raise RefusedError(
            _(
                "This picture would take this server about {need:.0f} s, up to {piece:.1f} s of it at a stretch; it "
                "gives one {have:.0f} s, {stretch:.0f} s at a stretch. Lower the sequence length ({steps}), the hidden "
                "size ({units}), the seeds ({seeds}), the batch ({batch}) or the layers ({layers})."
            ).format(
                need=whole * _SECONDS,
                piece=job.work * _SECONDS,
                have=LARGEST_WORK * _SECONDS,
                stretch=LARGEST_UNIT * _SECONDS,
                steps=settings.sequence_length,
                units=settings.hidden_size,
                seeds=settings.num_seeds,
                batch=settings.batch_size,
                layers=settings.num_layers,
            )
        )


def _check_result(job: Job[Any]) -> None:
    """Refuse a result of too many numbers."""
    settings = job.experiment.settings
    if job.result_numbers > LARGEST_RESULT:
        raise RefusedError(
            _(
                "This picture would hold {came:,} numbers; this server keeps {limit:,}. Lower the seeds ({seeds}), the "
                "batch ({batch}) or the sequence length ({steps})."
            ).format(
                came=job.result_numbers,
                limit=LARGEST_RESULT,
                seeds=settings.num_seeds,
                batch=settings.batch_size,
                steps=settings.sequence_length,
            )
        )
