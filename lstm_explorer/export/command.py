"""The command line: every figure in every format, from the same settings as the app.

``lstm-explorer export --help`` explains it.
"""

from __future__ import annotations

import argparse
import sys
import time
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.biases.checks import check_gate
from lstm_explorer.core.escape import clean
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.reading import unread
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.tables import TableReading
from lstm_explorer.exhibits.biases_view import BiasesView, gate_of
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.gradients import GradientsView, no_cell
from lstm_explorer.exhibits.inside import InsideView, stages
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.exhibits.view import View
from lstm_explorer.export.arguments import Parser, add_fields, flag_of, given_fields, one_line_errors, table_of
from lstm_explorer.export.data import read_settings
from lstm_explorer.export.files import FORMATS, RESOLUTIONS, ExportOptions, file_name, make
from lstm_explorer.export.paper import SHEETS, Paper
from lstm_explorer.figures.names import network_name, parts
from lstm_explorer.figures.theme import THEMES
from lstm_explorer.locales import LANGUAGES, _, use_language
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment, OwnTable
from lstm_explorer.runs.job import Job

_ABOUT = """\
Draw a figure of LSTM Explorer, or write its numbers or its script, without the app.

The measurement is the app's: exact back-propagation through a real nn.RNN, nn.LSTM or nn.GRU.
Every option of the app's sliders is here under its name in Python; what is left out has the app's default.
"""
_EXAMPLES = """\
examples:
  lstm-explorer export --sequence-length 200 --forget-bias 1 --format svg --out fig.svg
      RNN and LSTM over 200 steps, as a drawing
  lstm-explorer export --architecture lstm --quantity cell_path --forget-bias 5 --out path.pdf
      how much of the gradient travels by the cell state alone
  lstm-explorer export --figure journey --format html --out journey.html
      the first page's picture, with its play button, in one file
  lstm-explorer export --architecture lstm gru --format py --out by_hand.py
      a PyTorch program that prints the same numbers and draws the figure
  lstm-explorer export --settings lstm-explorer-gradients-T100.json --format csv
      the numbers again, from a JSON file of the app's Download button
"""
#: Seconds between two reports of progress.
_QUIET = 1.0
#: Views whose fields are options, with their heading.
_VIEWS: Mapping[type[View], str] = types.MappingProxyType(
    {
        GradientsView: "how gradients are drawn",
        InsideView: "where cell, traces and gate_map look",
        BiasesView: "what the figures of gate biases are about",
        JacobiansView: "what the figures of vanishing and exploding are about",
    }
)
#: Fields of views that only a page needs: --figure chooses these.
_NO_OPTIONS = ("across", "topic", "answer")


class _ProgressPrinter:
    """Prints the progress of long work on standard error."""

    def __init__(self) -> None:
        """Start the clock."""
        self._printed_at = time.monotonic()

    def __call__(self, job: Job[Any], done: int, total: int) -> None:
        """Print the progress, at most once a second."""
        if time.monotonic() - self._printed_at > _QUIET:
            self._printed_at = time.monotonic()
            sys.stderr.write(f"{network_name(job.experiment.architecture)}: {done} of {total} {job.unit} measured\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: As typed after ``lstm-explorer export``; the process's own by default.

    Returns:
        0, or 1 where something could not be measured, drawn or written; bad options leave with 2.
    """
    options = make_parser().parse_args(arguments)
    with one_line_errors("export") as failed:
        _export(options)
    return 1 if failed else 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser, with an option for every setting."""
    export = Parser(
        prog="lstm-explorer export", description=_ABOUT, epilog=_EXAMPLES, usage="lstm-explorer export [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = export.add_argument_group("what")
    what.add_argument("--figure", choices=_figures(), default="gradients", help="default: gradients")
    what.add_argument(
        "--architecture", nargs="+", choices=ARCHITECTURES, metavar="NETWORK",
        help=f"any of {', '.join(ARCHITECTURES)}; default: rnn lstm",
    )  # fmt: skip
    what.add_argument(
        "--settings", type=Path, metavar="FILE", help="a JSON file of the app; options given beside it win"
    )
    what.add_argument("--table", type=Path, metavar="FILE", help="your own CSV; sets --input-kind csv")
    add_fields(export.add_argument_group("how --table is written, where that is not found by itself"), TableReading)
    file = export.add_argument_group("the file")
    file.add_argument("--format", choices=FORMATS, help="default: as --out ends, else png")
    file.add_argument("--out", type=Path, metavar="FILE", help="default: a name made from the figure; - is stdout")
    file.add_argument("--size", choices=SHEETS, default="slide", help="of png, svg and pdf; default: slide")
    file.add_argument(
        "--resolution",
        type=float,
        choices=RESOLUTIONS,
        default=2.0,
        help="pixels of a png, times the size; default: 2",
    )
    file.add_argument("--theme", choices=THEMES, default="light", help="default: light")
    file.add_argument("--no-title", dest="title", action="store_false", help="leave the title out")
    file.add_argument("--caption", action="store_true", help="a line with the settings beneath")
    file.add_argument("--language", choices=LANGUAGES, default="en", help="default: en")
    add_fields(export.add_argument_group("settings, as lstm_explorer.Settings"), Settings)
    shared: set[str] = set()  # fields that several views have are one option
    for view, heading in _VIEWS.items():
        add_fields(export.add_argument_group(heading), view, skip=(*_NO_OPTIONS, *_choosing(view), *shared))
        shared |= set(schema(view))
    return export


def _export(options: argparse.Namespace) -> None:
    use_language(options.language)
    ending = options.format or (options.out.suffix.lstrip(".") if options.out else "") or "png"
    kind = next((known for known in FORMATS if known == ending), None)
    if kind is None:
        raise ValueError(f"--out ends in .{ending}: expected one of {', '.join(FORMATS)}, or say --format.")
    exhibit, rows = _exhibit(options)
    paper = Paper(size=options.size, theme=options.theme, title=options.title, caption=options.caption)
    order = ExportOptions(format=kind, paper=paper, scale=options.resolution)
    content = make(exhibit, order, table=rows)
    path = options.out or Path(file_name(exhibit, order))
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        return
    path.write_bytes(content)
    sys.stderr.write(f"{path}: {len(content):,} bytes\n")


def _figures() -> list[str]:
    """Return the names of all figures; one name stands for those of a family."""
    return list(dict.fromkeys(entry.family or name for name, entry in EXHIBITS.items() if not entry.view.own_settings))


def _choosing(view: type[View]) -> set[str]:
    """Return the fields of a view that --architecture sets."""
    return {entry.chosen_by for entry in EXHIBITS.values() if entry.view is view and entry.chosen_by}


def _exhibit(options: argparse.Namespace) -> tuple[Exhibit, TableLike | None]:
    """Measure and build what the options describe; also return the table it read."""
    name, given = _entry_of(options.figure, tuple(options.architecture or ()))
    entry = EXHIBITS[name]
    settings, view = Settings(), entry.view()
    if options.settings:
        settings, view = read_settings(options.settings.read_bytes(), name)
    settings = settings.replace(**given_fields(options, Settings))
    view = view.replace(**given_fields(options, entry.view), **given)
    if options.table:
        _check_table(options)
    rows = table_of(options, _note)
    if rows is not None:
        settings = settings.replace(input_kind="csv", input_size=rows.shape[1])
    own = OwnTable.of(rows) if rows is not None else None
    _check_view(view, options, Experiment(architecture="rnn", settings=settings, table=own))
    exhibit = entry.build(DirectRunner(own, on_progress=_ProgressPrinter()), settings, view)
    if exhibit is None:
        raise ValueError("nothing could be measured: expected at least one network.")
    _note_what_changes_nothing(exhibit, options)
    return exhibit, rows


def _entry_of(figure: str, networks: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Return the name of the exhibit, and the field of its view that the networks set."""
    family = {entry.networks[0]: name for name, entry in EXHIBITS.items() if entry.family == figure}
    legal = tuple(family) or EXHIBITS[figure].networks
    several = not family and EXHIBITS[figure].chosen_by == "networks"
    needed = family or (EXHIBITS[figure].view is InsideView and legal)
    wrong = not set(networks) <= set(legal) or (len(networks) > 1 and not several) or (needed and not networks)
    if networks and not legal:
        raise ValueError(f"--figure {figure} says itself which networks it is of: leave --architecture out.")
    if legal and wrong:
        raise ValueError(
            f"--figure {figure} is of one network: expected --architecture with one of {', '.join(legal)}."
        )
    if family:
        return family[networks[0]], {}
    field = EXHIBITS[figure].chosen_by
    return figure, {field: networks if several else networks[0]} if field and networks else {}


def _check_table(options: argparse.Namespace) -> None:
    """Refuse settings that the table itself decides."""
    for name in ("input_kind", "input_size"):
        value = getattr(options, name)
        if value not in (None, "csv"):
            raise ValueError(f"{flag_of(name)} is {value}: expected it without --table, which sets it.")


def _check_view(view: View, options: argparse.Namespace, one: Experiment) -> None:
    """Refuse what the app's controls do not offer, where another number or name would be drawn in its place."""
    for other in _VIEWS:
        for name in sorted(given_fields(options, other).keys() - schema(type(view)).keys()):
            having = {e.family or key: e for key, e in EXHIBITS.items() if e.view in _VIEWS}
            figures = ", ".join(figure for figure, e in having.items() if name in schema(e.view))
            raise ValueError(f"--{name} is not of --figure {options.figure}: expected it with {figures}.")
    layers = one.settings.num_layers
    most = {
        "layer": (layers, "--num-layers"), "depth": (layers, "--num-layers"),
        "unit": (one.settings.hidden_size - 1, "--hidden-size"), "step": (one.steps, "the input or --sequence-length"),
    }  # fmt: skip
    for name, (largest, says) in most.items():
        if (value := getattr(options, name)) is not None and value > largest:
            raise ValueError(f"--{name} is {value}: expected at most {largest}, as {says} says.")
    if isinstance(view, InsideView):
        known = {"part": parts(view.network), "stage": ("all", *stages(view.network))}
        for name, names in known.items():
            if (value := getattr(options, name)) is not None and value not in names:
                raise ValueError(f"--{name} is {value}: expected one of {', '.join(names)}, which the network has.")
    if isinstance(view, BiasesView):
        _check_gates(view, options, one.settings)


def _note_what_changes_nothing(exhibit: Exhibit, options: argparse.Namespace) -> None:
    """Say which settings were given that no network behind the figure reads, and what is drawn in place of what."""
    for name, value in given_fields(options, Settings).items():
        read = (
            name not in unread(one.architecture, one.settings) and getattr(one.settings, name) == value
            for one in exhibit.experiments
        )
        if not any(read) and not (options.table and name == "input_kind"):
            _note(_("{option} changes nothing here: no network of this figure reads it.").format(option=flag_of(name)))
    if isinstance(exhibit.view, GradientsView) and exhibit.name == "gradients" and (text := no_cell(exhibit.view)):
        _note(text)


def _note(text: str) -> None:
    sys.stderr.write(f"lstm-explorer export: note: {clean(text)}\n")


def _check_gates(view: BiasesView, options: argparse.Namespace, settings: Settings) -> None:
    """Refuse a gate that the network lacks, the same gate twice, and too long a memory."""
    for gate in filter(None, (options.gate, options.other)):
        check_gate(gate, view.network, Settings())
    if options.other and options.other == gate_of(view):
        raise ValueError(f"--other is {options.other}: expected another gate than --gate.")
    if view.memory > settings.sequence_length:
        raise ValueError(f"--memory is {view.memory}: expected at most --sequence-length, {settings.sequence_length}.")
