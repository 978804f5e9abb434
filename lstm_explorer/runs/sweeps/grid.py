"""Grids of settings: what is measured in every cell, what all cells have in common, and what varies."""

from __future__ import annotations

import difflib
import itertools
import math
import tomllib
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from lstm_explorer.core.escape import one_line, short
from lstm_explorer.core.inputs import INPUTS
from lstm_explorer.core.record import Field, Record, schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.jacobians import Phases
from lstm_explorer.runs.job import Job
from lstm_explorer.runs.measurements import Flow, Map
from lstm_explorer.runs.sweeps.cell import Cell, described, key_of
from lstm_explorer.runs.training.job import TrainingJob

#: Most cells of a grid.
MOST_CELLS = 1_000_000

Across = Mapping[str, tuple[float, ...]]


def _training(values: Mapping[str, Any], across: Across) -> Job[Any]:
    return TrainingJob(training=Training(**values).essential())


def _experiment(values: Mapping[str, Any]) -> Experiment:
    settings = {name: value for name, value in values.items() if name != "architecture"}
    return Experiment(architecture=values.get("architecture", "lstm"), settings=Settings(**settings))


def _survival(values: Mapping[str, Any], across: Across) -> Job[Any]:
    return Flow(experiment=_experiment(values))


def _bias_map(values: Mapping[str, Any], across: Across) -> Job[Any]:
    ((name, biases),) = across.items()
    return Map(experiment=_experiment(values), gate=name.removesuffix("_bias"), biases=biases)


def _phase_map(values: Mapping[str, Any], across: Across) -> Job[Any]:
    rows, columns = across.items()
    return Phases(experiment=_experiment(values), rows=rows, columns=columns)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What can be measured in a cell.

    Attributes:
        record: The settings that it reads, apart from the architecture.
        job: A cell's settings, and what its map goes across, to the job.
        axes: How many settings its map goes across.
        across: Which those can be.
        unread: Settings that make no difference to it, and why.
    """

    record: type[Record]
    job: Callable[[Mapping[str, Any], Across], Job[Any]]
    axes: int = 0
    across: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> Mapping[str, Field]:
        """The declarations of what a cell can set."""
        architecture = schema(Training)["architecture"]
        return {"architecture": architecture, **schema(self.record)}


_BIASES = tuple(name for name in schema(Settings) if name.endswith("_bias"))
_FIRST = "a phase map is of the first sample of the first seed, at the last step"

#: Name -> what a cell can measure.
MEASURES: Mapping[str, Measure] = types.MappingProxyType(
    {
        "training": Measure(
            record=Training, job=_training,
            unread={"num_seeds": "a cell is one run; write seed = {from = 0, count = 5} under [grid]"},
        ),
        "survival": Measure(record=Settings, job=_survival),
        "bias_map": Measure(record=Settings, job=_bias_map, axes=1, across=_BIASES),
        "phase_map": Measure(
            record=Settings, job=_phase_map, axes=2, across=("recurrent_gain", "input_scale", *_BIASES),
            unread=dict.fromkeys(("num_seeds", "batch_size", "loss"), _FIRST),
        ),
    }
)  # fmt: skip

#: Settings whose value asks for a table of one's own -> which values do.
_TABLES = {
    "task": {name for name, task in TASKS.items() if task.reads_table},
    "input_kind": {name for name, kind in INPUTS.items() if kind.reads_table},
}


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A grid of settings, every combination of which is a cell.

    Args:
        measure: ``"training"``: a training run, with the share of the gradient that survives before and after it.
            ``"survival"``: the share of the gradient that arrives at the first step. ``"bias_map"``: that over the
            biases of a gate. ``"phase_map"``: the largest Lyapunov exponent over two settings.
        settings: Name to value of what all cells have in common: ``architecture``, and fields of
            :class:`lstm_explorer.Training` or, of the other measures, of :class:`lstm_explorer.Settings`.
        grid: Name to values of what varies; the last name turns fastest. Values are a list, or a range: ``{"from": 0,
            "to": 6, "count": 7}``, evenly spaced, or by factors with ``"spacing": "log"``; ``{"from": 0, "count": 20}``
            counts by ones.
        across: What the map of one cell goes across, in the same form: a gate's bias, such as ``forget_bias``, of a
            bias map, and two settings of a phase map.

    Raises:
        TypeError: A value is of another kind than its setting.
        ValueError: A name is not known, a value is not legal, or a setting is given twice.

    Example:
        >>> grid = Grid(measure="survival", grid={"architecture": ["rnn", "gru"], "seed": {"from": 0, "count": 3}})
        >>> [(cell.varies["architecture"], cell.varies["seed"]) for cell in grid.cells()][:4]
        [('rnn', 0), ('rnn', 1), ('rnn', 2), ('gru', 0)]
    """

    measure: str = "training"
    settings: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Any] = field(default_factory=dict)
    across: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every name and value once, here, and write ranges out."""
        _known("measure", self.measure, MEASURES)
        what = MEASURES[self.measure]
        for name in ("settings", "grid", "across"):
            if not isinstance(getattr(self, name), Mapping):
                raise TypeError(f"{name} is {short(getattr(self, name))}: expected names with values, [{name}].")
        if len(self.across) != what.axes:
            wanted = f"{what.axes} of {', '.join(what.across)}" if what.axes else "nothing"
            names = one_line(", ".join(map(str, self.across))) or "nothing"
            raise ValueError(f"[across] has {names}: expected {wanted} for measure {self.measure!r}.")
        settings = {name: _checked(what, "settings", name, value) for name, value in self.settings.items()}
        grid = {name: _axis(what, "grid", name, values) for name, values in self.grid.items()}
        across = {name: _axis(what, "across", name, values) for name, values in self.across.items()}
        for name, values in across.items():
            if list(values) != sorted(values):
                raise ValueError(f"[across] {name} is {short(values)}: expected ascending values.")
        for one, other in (("settings", "grid"), ("settings", "across"), ("grid", "across")):
            if twice := sorted(set(getattr(self, one)) & set(getattr(self, other))):
                raise ValueError(f"{twice[0]} is in [{one}] and in [{other}]: expected it in one of them.")
        whole: dict[str, Any] = {"settings": settings, "grid": grid, "across": across}
        for name, given in whole.items():
            object.__setattr__(self, name, types.MappingProxyType(given))
        if len(self) > MOST_CELLS:
            raise ValueError(f"the grid has {len(self):,} cells: expected at most {MOST_CELLS:,}.")

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a grid from TOML, whose tables are the arguments of the class.

        Args:
            text: The content of a file.

        Raises:
            TypeError: A value is of another kind than its setting.
            ValueError: It is no TOML, or says what no grid can have.

        Example:
            >>> grid = Grid.from_toml('''
            ... measure = "training"
            ... [settings]
            ... task = "adding"
            ... [grid]
            ... forget_bias = {from = 0, to = 6, count = 4}
            ... ''')
            >>> grid.grid["forget_bias"]
            (0.0, 2.0, 4.0, 6.0)
        """
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"this is no TOML: {error}.") from error
        for name in document:
            _known("the grid", name, ("measure", "settings", "grid", "across"))
        return cls(**document)

    def __len__(self) -> int:
        """Return the number of cells."""
        return math.prod(len(values) for values in self.grid.values())

    def cells(self) -> Iterator[Cell]:
        """Yield the cells, in their order."""
        job = MEASURES[self.measure].job
        for values in itertools.product(*self.grid.values()):
            varies = dict(zip(self.grid, values, strict=True))
            one = job({**self.settings, **varies}, self.across)
            yield Cell(job=one, varies=varies, key=key_of(described(one)))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values; ``Grid(**values)`` is the same grid."""
        return {"measure": self.measure, "settings": dict(self.settings)} | {
            name: {one: list(values) for one, values in getattr(self, name).items()} for name in ("grid", "across")
        }


def _known(what: str, name: Any, known: Collection[str]) -> None:
    """Refuse a name that is not known, and say what was near.

    Raises:
        ValueError: It is not.
    """
    if isinstance(name, str) and name in known:
        return
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    mend = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}."
    raise ValueError(f"{what} has no {short(name)}: {mend}")


def _checked(what: Measure, place: str, name: str, value: Any) -> Any:
    """Return a setting's value as its declaration has it."""
    names = what.across if place == "across" else [one for one in what.fields if one not in what.unread]
    if name in what.unread:
        raise ValueError(f"[{place}] {name} makes no difference: {what.unread[name]}.")
    _known(f"[{place}]", name, names)
    declared = what.fields[name]
    if isinstance(value, list | tuple | dict):
        raise ValueError(f"[{place}] {name} is {short(value)}: expected one value; several belong under [grid].")
    try:
        checked = declared.checked(value)
    except (ValueError, TypeError) as error:
        near = difflib.get_close_matches(str(value), declared.options, n=1, cutoff=0.5)
        mend = f" Did you mean {near[0]!r}?" if near else ""
        raise type(error)(f"[{place}] {error}{mend}") from error
    if checked in _TABLES.get(name, ()):
        raise ValueError(f"[{place}] {name} is {checked!r}, a table of your own: expected another; a grid has none.")
    return checked


def _axis(what: Measure, place: str, name: str, values: Any) -> tuple[Any, ...]:
    """Return the values of what varies."""
    if isinstance(values, Mapping):
        values = _range(f"[{place}] {name}", values)
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise ValueError(f"[{place}] {name} is {short(values)}: expected a list, or {{from = 0, to = 6, count = 7}}.")
    checked = tuple(_checked(what, place, name, value) for value in values)
    if twice := [value for at, value in enumerate(checked) if value in checked[:at]]:
        raise ValueError(f"[{place}] {name} holds {short(twice[0])} twice: expected every value once.")
    return checked


def _range(name: str, given: Mapping[str, Any]) -> list[float]:
    for one in given:
        _known(name, one, ("from", "to", "count", "spacing"))
    first, last, count = given.get("from"), given.get("to"), given.get("count")
    spacing = given.get("spacing", "linear")
    _known(f"{name} spacing", spacing, ("linear", "log"))
    numbers = [value for value in (first, last) if value is not None]
    if first is None or not all(_is_number(value) for value in numbers):
        raise ValueError(f"{name} goes from {short(first)} to {short(last)}: expected numbers.")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_CELLS:
        raise ValueError(f"{name} has count {short(count)}: expected a whole number from 1 to {MOST_CELLS:,}.")
    if last is None or count == 1:
        return [first + at for at in range(count)]
    if spacing == "log" and not (first > 0 and last > 0):
        raise ValueError(f"{name} goes from {first:g} to {last:g} by factors: expected numbers above 0.")
    shares = [at / (count - 1) for at in range(count)]
    if spacing == "log":
        spaced = [first * (last / first) ** share for share in shares]
    else:
        spaced = [first + (last - first) * share for share in shares]
    # As one writes it: 0.3 rather than 0.30000000000000004, and the ends as they were given.
    return [first, *(float(f"{value:.12g}") for value in spaced[1:-1]), last]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
