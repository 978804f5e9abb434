"""The command line that trains: what the page Training does, on one's own machine and without its limits.

``lstm-explorer train --help`` explains it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.csv
import torch
from numpy.typing import NDArray

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.escape import clean
from lstm_explorer.core.tables import TableReading
from lstm_explorer.core.training.options import Training, TrainingOptions, trainings_of
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.exhibits.training import training_exhibit
from lstm_explorer.exhibits.training_view import TrainingView, changes_to
from lstm_explorer.export.arguments import Parser, add_fields, flag_of, given_fields, one_line_errors, table_of
from lstm_explorer.export.interactive import to_html
from lstm_explorer.export.progress_bar import ProgressBar
from lstm_explorer.figures.names import network_name
from lstm_explorer.locales import LANGUAGES, use_language
from lstm_explorer.runs.training import gallery
from lstm_explorer.runs.training.files import (
    FORMAT,
    FORMAT_VERSION,
    run_from_bytes,
    state_dict_bytes,
    tensors_from_bytes,
    training_from_query,
    versions,
    whole_query,
    write_file,
)
from lstm_explorer.runs.training.member import Member
from lstm_explorer.runs.training.store import Group

_ABOUT = """\
Train real networks, and measure on the way how much of the loss's gradient reaches every state.

Into the folder of --out go, for each network and seed, its numbers (.parquet and .csv) and its weights (.safetensors,
and .pt as PyTorch's own state_dict); settings.json; and the figure of them all, figure.html, which can be played. Every
option of the page Training is here under its name in Python. Ctrl-C keeps what is done.
"""
_EXAMPLES = """\
examples:
  lstm-explorer train --task adding --architecture rnn lstm --sequence-length 100 --out run
      the adding problem over 100 steps
  lstm-explorer train --architecture lstm --forget-bias 3 --seed 0 --num-seeds 3 --out forget3
      three seeds with a larger forget bias
  lstm-explorer train --resume run
      goes on where Ctrl-C stopped it
  lstm-explorer train --task csv --table weather.csv --column 2 --horizon 24 --out weather
      your own series, 24 steps ahead
  lstm-explorer train --gallery lstm_explorer/data/gallery
      the runs that the package ships
"""
_SETTINGS, _TABLE, _FIGURE = "settings.json", "table.npy", "figure.html"
#: Seconds between two checkpoints.
_CHECKPOINT = 10.0


@dataclass(frozen=True)
class _Folder(Group):
    """The folder of ``--out``: files are named for networks and seeds, not for places."""

    names: tuple[str, ...] = field(default=())

    def numbers(self, which: int) -> Path:
        """Return the file of a training's numbers."""
        return self.folder / f"{self.names[which]}.parquet"

    def resume(self, which: int) -> Path:
        """Return the file from which a training goes on."""
        return self.folder / f"{self.names[which]}.resume.safetensors"

    def weights(self, which: int, step: int) -> Path:
        """Return the file of the trained weights."""
        return self.folder / f"{self.names[which]}.safetensors"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: As typed after ``lstm-explorer train``; the process's own by default.

    Returns:
        0; 1 where something could not be trained or written; 130 where it was stopped; bad options leave with 2.
    """
    options = make_parser().parse_args(arguments)
    over = True
    with one_line_errors("train") as failed, _threads(options.threads):
        use_language(options.language)
        if options.gallery:
            gallery.make(options.gallery, progress=lambda done, total: _note(f"{done} of {total} runs are there"))
        else:
            trainings, table = _resumed(options) if options.resume else _begun(options)
            over = _train(options.resume or options.out, trainings, table)
    return 1 if failed else 0 if over else 130


def make_parser() -> argparse.ArgumentParser:
    """Return the parser, with an option for every setting."""
    parser = Parser(
        prog="lstm-explorer train", description=_ABOUT, epilog=_EXAMPLES, usage="lstm-explorer train [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = parser.add_argument_group("what")
    what.add_argument(
        "--architecture", nargs="+", choices=ARCHITECTURES, metavar="NETWORK",
        help=f"any of {', '.join(ARCHITECTURES)}; default: rnn lstm gru",
    )  # fmt: skip
    what.add_argument("--table", type=Path, metavar="FILE", help="your own CSV, for --task csv")
    add_fields(parser.add_argument_group("how --table is written, where that is not found by itself"), TableReading)
    where = parser.add_argument_group("where")
    one = where.add_mutually_exclusive_group(required=True)
    one.add_argument("--out", type=Path, metavar="FOLDER", help="a new folder, or one without a run")
    one.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the run of this folder")
    one.add_argument("--gallery", type=Path, metavar="FOLDER", help="train the runs of the app's gallery")
    where.add_argument(
        "--threads", type=int, default=1, help="of PyTorch; another number may round otherwise; default: 1"
    )
    where.add_argument("--language", choices=LANGUAGES, default="en", help="default: en")
    add_fields(parser.add_argument_group("settings, as lstm_explorer.Training"), TrainingOptions)
    return parser


def _begun(options: argparse.Namespace) -> tuple[tuple[Training, ...], NDArray[np.float64] | None]:
    """Return what is to be trained, and write it down."""
    chosen = TrainingOptions(**given_fields(options, TrainingOptions))
    rows = table_of(options, _note)
    table = None if rows is None else np.asarray(rows, dtype=np.float64)
    if TASKS[chosen.task].reads_table != (table is not None):
        raise ValueError(f"--task {chosen.task} {'needs' if table is None else 'reads no'} --table.")
    folder: Path = options.out
    if (folder / _SETTINGS).exists():
        raise ValueError(
            f"{folder} holds a run already: expected another folder, or --resume {folder} to go on with it."
        )
    trainings = trainings_of(chosen, tuple(dict.fromkeys(options.architecture or ("rnn", "lstm", "gru"))))
    if taken := [path.name for name in _names(trainings) for path in sorted(folder.glob(f"{name}.*"))]:
        raise ValueError(f"{folder} holds {', '.join(taken)} already: expected another folder, or one without them.")
    for training in trainings:
        TASKS[training.task].pose(training, table)  # what cannot be trained leaves no folder behind
    folder.mkdir(parents=True, exist_ok=True)
    if table is not None:
        content = io.BytesIO()
        np.save(content, table, allow_pickle=False)
        write_file(folder / _TABLE, content.getvalue())
    document = {
        "format": FORMAT, "version": FORMAT_VERSION, "versions": versions(),
        "trainings": {name: whole_query(one) for name, one in zip(_names(trainings), trainings, strict=True)},
    }  # fmt: skip
    write_file(folder / _SETTINGS, json.dumps(document, indent=2, ensure_ascii=False).encode())
    return trainings, table


def _resumed(options: argparse.Namespace) -> tuple[tuple[Training, ...], NDArray[np.float64] | None]:
    """Return what a folder says is to be trained."""
    given = [*given_fields(options, TrainingOptions), *given_fields(options, TableReading)]
    given += [name for name in ("architecture", "table") if getattr(options, name)]
    if given:
        raise ValueError(f"--resume goes on as it began: expected it without {flag_of(given[0])}.")
    folder: Path = options.resume
    if not (folder / _SETTINGS).exists():
        raise ValueError(f"{folder} holds no run: expected a folder that --out made.")
    try:
        document = json.loads((folder / _SETTINGS).read_bytes())
        trainings = tuple(map(training_from_query, document["trainings"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / _SETTINGS} is damaged or of another version: {error}") from error
    path = folder / _TABLE
    return trainings, np.load(path, allow_pickle=False) if path.exists() else None


def _names(trainings: Sequence[Training]) -> tuple[str, ...]:
    return tuple(f"{training.architecture}-{training.seed}" for training in trainings)


def _train(folder: Path, trainings: Sequence[Training], table: NDArray[np.float64] | None) -> bool:
    """Train one network after the other; tell whether all are done."""
    group = _Folder(folder, _names(trainings))
    with _stopped_by_hand() as stopped:
        for which, training in enumerate(trainings):
            if _done(group, which, training):
                continue
            member = Member(group, which, training, table, 0)
            _train_one(member, _Progress(group.names[which], training), stopped)
            if not member.over:
                sys.stderr.write(f"stopped; what is done is kept. To go on: lstm-explorer train --resume {folder}\n")
                return False
            _finish(group, which)
    _draw(group, trainings)
    sys.stderr.write(f"{folder}: {_FIGURE}, {', '.join(group.names)}\n")
    return True


def _draw(group: _Folder, trainings: Sequence[Training]) -> None:
    """Write the figure of the page Training, which plays in any browser."""
    runs = [run_from_bytes(group.numbers(which).read_bytes()) for which in range(len(trainings))]
    figure = training_exhibit(runs, TrainingView(**changes_to(trainings)))
    write_file(group.folder / _FIGURE, to_html(figure, theme="light", title=True, caption=True))


def _train_one(member: Member, progress: _Progress, stopped: list[bool]) -> None:
    kept = time.monotonic()
    while not (member.over or stopped):
        member.advance()
        progress(member)
        if time.monotonic() - kept > _CHECKPOINT:
            member.save()
            kept = time.monotonic()
    member.save()
    progress(member, last=True)


def _done(group: _Folder, which: int, training: Training) -> bool:
    """Tell whether a network is trained and all its files are there."""
    path = group.folder / f"{group.names[which]}.pt"
    return path.exists() and len(run_from_bytes(group.numbers(which).read_bytes()).loss) == training.steps


def _finish(group: _Folder, which: int) -> None:
    """Write what others read: a table as text, and PyTorch's own file of weights."""
    run = run_from_bytes(group.numbers(which).read_bytes())
    table = io.BytesIO()
    pyarrow.csv.write_csv(pyarrow.Table.from_pandas(run.to_frame(), preserve_index=False), table)
    write_file(group.folder / f"{group.names[which]}.csv", table.getvalue())
    tensors = tensors_from_bytes(group.weights(which, run.training.steps).read_bytes())[0]
    write_file(group.folder / f"{group.names[which]}.pt", state_dict_bytes(tensors))
    group.resume(which).unlink(missing_ok=True)


class _Progress:
    """How far a training is."""

    def __init__(self, name: str, training: Training) -> None:
        self._name, self._training, self._bar = name, training, ProgressBar()

    def __call__(self, member: Member, *, last: bool = False) -> None:
        """Show how far it is."""
        loss = member.run.loss[-1] if member.run is not None else float("nan")
        name = f"{network_name(self._training.architecture)}, seed {self._training.seed}"
        done = member.step, self._training.steps
        self._bar.show(name, *done, f"loss {loss:.4g}", seconds_left=member.seconds_left, last=last)


@contextlib.contextmanager
def _stopped_by_hand() -> Iterator[list[bool]]:
    """Yield a list that is filled by the first Ctrl-C; the second ends the process."""
    stopped: list[bool] = []

    def note(*_signal: object) -> None:
        stopped.append(True)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _threads(many: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, many))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _note(text: str) -> None:
    sys.stderr.write(f"lstm-explorer train: note: {clean(text)}\n")
