"""The command line: every figure in every format, from the same settings as the app.

``python -m lstm_explorer export --help`` teaches it.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import time
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

from lstm_explorer.core.biases.maps import check_gate
from lstm_explorer.core.engine.trajectory import Trajectory, unroll
from lstm_explorer.core.errors import Explained
from lstm_explorer.core.gradients.flow import GradientFlow
from lstm_explorer.core.gradients.seeds import join_flows, seed_flows
from lstm_explorer.core.inputs.kinds import TableLike, make_inputs
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.settings import ARCHITECTURES, LIMITS, Architecture, Settings
from lstm_explorer.core.tables import TableError, read_table
from lstm_explorer.exhibits.bias_view import BiasesView, gate_of
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.inside import InsideView
from lstm_explorer.exhibits.registry import EXHIBITS, GradientsView
from lstm_explorer.exhibits.theory import RNNRates, rnn_rates
from lstm_explorer.exhibits.view import View, kind_of
from lstm_explorer.export.data import read_settings
from lstm_explorer.export.files import FORMATS, Order, file_name, make
from lstm_explorer.export.paper import SHEETS, Paper
from lstm_explorer.figures.theme import NETWORK_NAMES, THEMES
from lstm_explorer.locales import LANGUAGES, translated, use_language

_ABOUT = """\
Draw a figure of LSTM Explorer, or write its numbers or its script, without the app.

The measurement is the app's: exact back-propagation through a real nn.RNN, nn.LSTM or nn.GRU.
Every option of the app's sliders is here under its name in Python; what is left out has the app's default.
"""
_EXAMPLES = """\
examples:
  python -m lstm_explorer export --sequence-length 200 --forget-bias 1 --format svg --out fig.svg
      RNN and LSTM over 200 steps, as a drawing
  python -m lstm_explorer export --architecture lstm --quantity cell_path --forget-bias 5 --out path.pdf
      how much of the gradient travels by the cell state alone
  python -m lstm_explorer export --figure journey --format html --out journey.html
      the first page's picture, with its play button, in one file
  python -m lstm_explorer export --architecture lstm --format py --out by_hand.py
      a short PyTorch program that computes the same numbers
  python -m lstm_explorer export --settings lstm-explorer-gradients-T100.json --format csv
      the numbers again, from a JSON file of the app's Download button
"""
#: Seconds without a sign of life on long work.
_QUIET = 1.0
#: Numbers of one state measured between two signs of life.
_BETWEEN_SIGNS = 1_500_000
T = TypeVar("T")

_FIGURES = (
    "gradients", "journey", "units", "cell", "traces", "gate_map", "bias_map", "two_gates", "lengths", "required_bias",
    "effective_bias", "paths", "rates", "weights", "contributions",
)  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave."""
        self.exit(2, f"{self.prog}: error: {message}\n")


class PlainBench:
    """Measures at once, and says on standard error how far it is.

    Args:
        rows: The reader's own table.
    """

    def __init__(self, rows: TableLike | None = None) -> None:
        """Keep the table."""
        self._rows = rows
        self._said = time.monotonic()

    def flow(self, settings: Settings, architecture: Architecture, *, units: bool = False) -> GradientFlow:
        """Measure all replicas, a few at a time."""
        size, total, flows = max(1, _BETWEEN_SIGNS // _numbers(settings)), settings.num_seeds, []
        for first in range(0, total, size):
            self._say(f"{NETWORK_NAMES[architecture]}: {first} of {total} seeds measured")
            group = settings.replace(seed=settings.seed + first, num_seeds=min(size, total - first))
            table = self.table() if settings.input_kind == "csv" else None
            flows.append(seed_flows(group, architecture=architecture, units=units, table=table))
        return join_flows(flows)

    def trajectory(self, settings: Settings, architecture: Architecture) -> Trajectory:
        """Unroll the first replica."""
        table = self.table() if settings.input_kind == "csv" else None
        return unroll(build_network(architecture, settings), make_inputs(settings, table=table))

    def rates(self, settings: Settings) -> RNNRates:
        """Return the plain RNN's closed forms."""
        return rnn_rates(settings.replace(num_seeds=1, num_layers=1), self.table())

    def table(self) -> TableLike | None:
        """Return the reader's own table."""
        return self._rows

    def measured(self, measure: Callable[..., T], settings: Settings, *, numbers: int = 1, **options: Any) -> T:
        """Return a measurement of the core."""
        return measure(settings, table=self.table() if settings.input_kind == "csv" else None, **options)

    def swept(
        self,
        measure: Callable[..., T],
        join: Callable[[Sequence[T]], T],
        settings: Settings,
        *,
        biases: Sequence[float],
        runs: int = 1,
        **options: Any,
    ) -> T:
        """Return a measurement over biases, a few at a time."""
        size, parts = max(1, _BETWEEN_SIGNS // (_numbers(settings) * settings.num_seeds * runs)), []
        for first in range(0, len(biases), size):
            self._say(f"{first} of {len(biases)} biases measured")
            parts.append(self.measured(measure, settings, biases=tuple(biases[first : first + size]), **options))
        return join(parts)

    def _say(self, text: str) -> None:
        if time.monotonic() - self._said > _QUIET:
            self._said = time.monotonic()
            sys.stderr.write(f"{text}\n")


def _numbers(settings: Settings) -> int:
    return settings.sequence_length * settings.batch_size * settings.hidden_size * settings.num_layers


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: As typed after ``python -m lstm_explorer``; the process's own by default.

    Returns:
        0, or 1 where something could not be measured, drawn or written; bad options leave with 2.
    """
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    with _one_line_errors() as failed:
        _export(options)
    return 1 if failed else 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser, with an option for every setting."""
    parser = _Parser(prog="python -m lstm_explorer", description=_ABOUT.splitlines()[0])
    export = parser.add_subparsers(dest="command", parser_class=_Parser, title="commands").add_parser(
        "export", help="write a figure, its numbers or its script to a file", description=_ABOUT, epilog=_EXAMPLES,
        usage="python -m lstm_explorer export [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = export.add_argument_group("what")
    what.add_argument("--figure", choices=_FIGURES, default="gradients", help="default: gradients")
    what.add_argument(
        "--architecture", nargs="+", choices=ARCHITECTURES, metavar="NETWORK",
        help="any of rnn, lstm, gru; default: rnn lstm",
    )  # fmt: skip
    what.add_argument(
        "--settings", type=Path, metavar="FILE", help="a JSON file of the app; options given beside it win"
    )
    what.add_argument("--table", type=Path, metavar="FILE", help="your own CSV; sets --input-kind csv")
    file = export.add_argument_group("the file")
    file.add_argument("--format", choices=FORMATS, help="default: as --out ends, else png")
    file.add_argument("--out", type=Path, metavar="FILE", help="default: a name made from the figure; - is stdout")
    file.add_argument("--size", choices=SHEETS, default="slide", help="of png, svg and pdf; default: slide")
    file.add_argument(
        "--resolution",
        type=float,
        choices=(1.0, 2.0, 4.0),
        default=2.0,
        help="pixels of a png, times the size; default: 2",
    )
    file.add_argument("--theme", choices=THEMES, default="light", help="default: light")
    file.add_argument("--no-title", dest="title", action="store_false", help="leave the title out")
    file.add_argument("--caption", action="store_true", help="a line with the settings beneath")
    file.add_argument("--language", choices=LANGUAGES, default="en", help="default: en")
    _add_fields(export.add_argument_group("settings, as lstm_explorer.Settings"), Settings, _described(Settings))
    _add_fields(export.add_argument_group("how gradients are drawn"), GradientsView, {}, skip=("networks",))
    _add_fields(export.add_argument_group("where cell, traces and gate_map look"), InsideView, {}, skip=("network",))
    _add_fields(
        export.add_argument_group("what the figures of gate biases are about"), BiasesView, {},
        skip=("network", "weights_of", "across", "topic", "answer"),
    )  # fmt: skip
    return parser


def _export(options: argparse.Namespace) -> None:
    use_language(options.language)
    ending = options.format or (options.out.suffix.lstrip(".") if options.out else "") or "png"
    kind = next((known for known in FORMATS if known == ending), None)
    if kind is None:
        raise ValueError(f"--out ends in .{ending}: expected one of {', '.join(FORMATS)}, or say --format.")
    exhibit, rows = _exhibit(options)
    if kind == "py" and len(exhibit.experiments) > 1:
        names = " or ".join(one.architecture for one in exhibit.experiments)
        raise ValueError(f"a script is of one network: expected --figure gradients and --architecture {names}.")
    paper = Paper(size=options.size, theme=options.theme, title=options.title, caption=options.caption)
    order = Order(format=kind, paper=paper, scale=options.resolution)
    content = make(exhibit, order, table=rows)
    path = options.out or Path(file_name(exhibit, order))
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        return
    path.write_bytes(content)
    sys.stderr.write(f"{path}: {len(content):,} bytes\n")


def _exhibit(options: argparse.Namespace) -> tuple[Exhibit, TableLike | None]:
    """Measure and build what the options describe; also return the table it read."""
    name, networks = options.figure, tuple(options.architecture or ())
    if name in ("units", "cell", "traces", "gate_map") and len(networks) != 1:
        raise ValueError(f"--figure {name} is of one network: expected --architecture with one of rnn, lstm, gru.")
    if name == "units":
        name = f"units_{networks[0]}"
    settings, view = Settings(), EXHIBITS[name].view()
    if options.settings:
        settings, view = read_settings(options.settings.read_bytes(), name)
    settings = settings.replace(**_given(options, Settings))
    if isinstance(view, GradientsView):
        view = view.replace(**_given(options, GradientsView), **({"networks": networks} if networks else {}))
    elif isinstance(view, InsideView):
        view = view.replace(**_given(options, InsideView), network=networks[0])
    elif isinstance(view, BiasesView):
        view = view.replace(**_given(options, BiasesView), **_network_of(name, networks))
        _check_gates(view, options, settings)
    rows = None
    if options.table:
        rows = read_table(options.table.read_bytes()).values
        settings = settings.replace(input_kind="csv", input_size=rows.shape[1])
    exhibit = EXHIBITS[name].build(PlainBench(rows), settings, view)
    if exhibit is None:
        raise ValueError("nothing could be measured: expected at least one network.")
    return exhibit, rows


def _check_gates(view: BiasesView, options: argparse.Namespace, settings: Settings) -> None:
    """Refuse what the app's controls do not offer: a gate that the network lacks, one gate twice, too long a memory."""
    for gate in filter(None, (options.gate, options.other)):
        check_gate(gate, view.network, Settings())
    if options.other and options.other == gate_of(view):
        raise ValueError(f"--other is {options.other}: expected another gate than --gate.")
    if view.memory > settings.sequence_length:
        raise ValueError(f"--memory is {view.memory}: expected at most --sequence-length, {settings.sequence_length}.")


def _network_of(name: str, networks: tuple[Architecture, ...]) -> dict[str, Architecture]:
    """Return the view's field that says which network a figure of gate biases is about."""
    if not networks:
        return {}
    field = "weights_of" if name in ("weights", "contributions") else "network"
    legal = ("lstm",) if name in ("paths", "rates") else BiasesView.choices(field)
    if len(networks) > 1 or networks[0] not in legal:
        raise ValueError(f"--figure {name} is of one network: expected --architecture with one of {', '.join(legal)}.")
    return {field: networks[0]}


@contextmanager
def _one_line_errors() -> Iterator[list[str]]:
    """Turn what goes wrong into one line on standard error; the list that comes back holds it."""
    failed: list[str] = []
    try:
        yield failed
    except Explained as error:
        failed.append(translated(error.template).format(**error.values))
    except TableError as error:
        failed.append(translated(error.template).format(**error.values))
    except OSError as error:
        failed.append(f"{error.filename or 'the file'}: {error.strerror or error}")
    except (ValueError, TypeError) as error:
        failed.append(str(error))
    except MemoryError:
        failed.append("not enough memory: lower --sequence-length, --hidden-size, --batch-size or --num-seeds.")
    except KeyboardInterrupt:
        failed.append("stopped.")
    for message in failed:
        sys.stderr.write(f"python -m lstm_explorer export: error: {' '.join(message.split())}\n")


def _add_fields(group: Any, record: type, described: dict[str, str], skip: tuple[str, ...] = ()) -> None:
    """Add an option for every field of a record; none has a default, so that only what was typed counts."""
    for field in fields(record):
        if field.name in skip:
            continue
        flag, kind = f"--{field.name.replace('_', '-')}", kind_of(record, field.name)
        about = f"{described.get(field.name, '')} default: {field.default}".strip().replace("%", "%%")
        if kind is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=about)
        elif typing.get_origin(kind) is Literal:
            group.add_argument(flag, choices=typing.get_args(kind), help=about)
        else:
            limits = _limits(record, field)
            text = f"{about}, {limits.low:g} to {limits.high:g}" if limits else about
            group.add_argument(flag, type=kind, metavar=kind.__name__.upper(), help=text)


def _limits(record: type, field: Field[Any]) -> Any:
    return LIMITS.get(field.name) if record is Settings else field.metadata.get("limits")


def _given(options: argparse.Namespace, record: type[Settings] | type[View]) -> dict[str, Any]:
    """Return the fields of a record that were typed."""
    typed = {field.name: getattr(options, field.name, None) for field in fields(record)}
    return {name: value for name, value in typed.items() if value is not None}


def _described(record: type) -> dict[str, str]:
    """Return the first sentence on every argument in a docstring."""
    text = inspect.getdoc(record) or ""
    lines = text.partition("Args:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", lines + "\n", re.DOTALL | re.MULTILINE)
    plain = {name: re.sub(r":math:|``|`|[{}]", "", " ".join(about.split())) for name, about in entries}
    return {name: re.split(r"(?<=[.;])\s", about)[0].rstrip(".;") + "." for name, about in plain.items()}
