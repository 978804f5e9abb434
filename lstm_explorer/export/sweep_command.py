"""The command line that sweeps: any measurement over a grid of settings, on this machine or on a cluster.

``lstm-explorer sweep --help`` explains it.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from lstm_explorer.core.escape import clean, one_line
from lstm_explorer.export.arguments import Parser, one_line_errors
from lstm_explorer.export.progress_bar import ProgressBar, clock
from lstm_explorer.extras import MissingExtraError
from lstm_explorer.locales import LANGUAGES, _, use_language
from lstm_explorer.runs.sweeps.grid import Grid
from lstm_explorer.runs.sweeps.processes import Processes, Workers
from lstm_explorer.runs.sweeps.store import TABLE
from lstm_explorer.runs.sweeps.sweep import Sweep, default_processes

_ABOUT = """\
Measure every cell of a grid of settings: training runs, the share of the gradient that survives, bias maps, phase maps.

Into the folder of --out goes every cell as soon as it is done (cells/*.parquet), and at the end the table of them all
(sweep.parquet). Ctrl-C, a killed process or a lost machine cost the cells under way: the same command goes on from
there, and tries again what failed. A grid that was made larger measures only what is new.
"""
_EXAMPLES = """\
grid.toml, which learns the adding problem, 48 training runs:
  measure = "training"               # or "survival", "bias_map", "phase_map"
  [settings]                         # of every cell: options of lx.Training; else of lx.Settings
  task = "adding"
  steps = 1500
  [grid]                             # every combination is a cell; the last name turns fastest
  architecture = ["rnn", "lstm"]
  sequence_length = [50, 100]
  forget_bias = {from = 0, to = 6, count = 4}   # evenly spaced; spacing = "log" goes by factors
  seed = {from = 0, count = 3}                  # 0, 1, 2

A bias_map goes, in every cell, across the biases of a gate, and a phase_map across two settings:
  [across]
  forget_bias = {from = -2, to = 6, count = 17}

examples:
  lstm-explorer sweep grid.toml --dry-run
      how many cells there are, and about how long they take
  lstm-explorer sweep grid.toml --out sweep
      in as many processes as there are cores
  lstm-explorer sweep grid.toml --out sweep --scheduler tcp://10.0.0.5:8786
      on a Dask cluster: 'dask scheduler' there, and on every machine
      'dask worker tcp://10.0.0.5:8786 --nthreads 1 --nworkers 2' for two cores;
      the same lstm-explorer is installed on all of them, the scheduler's machine too
"""
#: Most cells that failed which are listed.
_LISTED = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: As typed after ``lstm-explorer sweep``; the process's own by default.

    Returns:
        0; 1 where a cell failed or something could not be read or kept; 130 where it was stopped; bad options leave
        with 2.
    """
    options = make_parser().parse_args(arguments)
    code = 0
    with one_line_errors("sweep") as failed:
        use_language(options.language)
        sweep = Sweep(_grid(options.grid), options.out)
        for path in sweep.damaged:
            _note(_("{path} is damaged: its cell is measured again.").format(path=path))
        _note(_found(sweep))
        with _workers(options) as workers:
            if options.dry_run:
                sys.stdout.write(f"{_estimate(sweep, workers)}\n")
            else:
                code = _run(sweep, workers, options.out)
    return 1 if failed else code


def make_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = Parser(
        prog="lstm-explorer sweep", description=_ABOUT, epilog=_EXAMPLES,
        usage="lstm-explorer sweep GRID --out FOLDER [options]", formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("grid", type=Path, metavar="GRID", help="what is measured, a TOML file as below")
    what = parser.add_mutually_exclusive_group()
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="the folder of what is done, new or to go on with")
    what.add_argument("--workers", type=int, metavar="N", help="processes on this machine; default: one for each core")
    what.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, which measures instead")
    parser.add_argument("--dry-run", action="store_true", help="measure nothing, say how much there is to do")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="default: en")
    return parser


def _grid(path: Path) -> Grid:
    content = path.read_bytes()
    try:
        return Grid.from_toml(content.decode())
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


@contextlib.contextmanager
def _workers(options: argparse.Namespace) -> Iterator[Workers]:
    """Yield what measures: processes, or a cluster to whose scheduler there is a connection."""
    if options.out is None and not options.dry_run:
        raise ValueError("there is no --out: expected a folder for what is done, or --dry-run.")
    if options.scheduler is None:
        many = default_processes() if options.workers is None else options.workers
        if many < 1:
            raise ValueError(f"--workers is {many}: expected a whole number from 1.")
        yield Processes(many)
        return
    try:
        from lstm_explorer.runs.cluster.workers import Cluster, connect
    except MissingExtraError as missing:
        raise ValueError(str(missing)) from missing
    with connect(options.scheduler) as client:
        workers = Cluster(client)
        if not workers.size:
            _note(_("The scheduler has no workers yet: cells wait for one."))
        yield workers


def _run(sweep: Sweep, workers: Workers, out: Path) -> int:
    """Measure what is left, and say what came of it; return the exit status."""
    bar = ProgressBar()
    try:
        with contextlib.closing(sweep.run(workers)) as done:
            for one in done:
                said = _("{failed} failed").format(failed=one.failed)
                last = one.done == one.total
                bar.show(out.name, one.done, one.total, said, seconds_left=one.seconds_left, last=last)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        _note(_("stopped; {done} of {total} cells are kept. The same command goes on from there.").format(
            done=len(sweep.found), total=sweep.total
        ))  # fmt: skip
        return 130
    for cell, error in sweep.failures[:_LISTED]:
        settings = ", ".join(f"{name} {value}" for name, value in cell.varies.items())
        _note(_("failed: {settings}: {error}").format(settings=one_line(settings, 200), error=error))
    if len(sweep.failures) > _LISTED:
        _note(_("and {more} more.").format(more=len(sweep.failures) - _LISTED))
    sys.stderr.write(f"{out / TABLE}\n")
    return 1 if sweep.failures else 0


def _found(sweep: Sweep) -> str:
    """Return how much there is, and how much of it is there already."""
    many = str(len(sweep.cells))
    if sweep.total < len(sweep.cells):
        many = _("{many} ({total} of them different)").format(many=many, total=sweep.total)
    return _("cells: {many}; there already and skipped: {there}; to be measured: {left}.").format(
        many=many, there=sweep.total - len(sweep.left), left=len(sweep.left)
    )


def _estimate(sweep: Sweep, workers: Workers) -> str:
    """Return about how long it takes."""
    at_once = max(1, workers.size)
    return _("about {time}; workers: {many}").format(time=clock(sweep.seconds / at_once), many=at_once)


def _note(text: str) -> None:
    sys.stderr.write(f"lstm-explorer sweep: {clean(text)}\n")
