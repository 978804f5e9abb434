"""What a sweep says over its settings: maps over two of them, loss curves with bands, and who learns by what survives.

Runs that differ in nothing else than their seed, or in settings that nobody asked about, are taken together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_explorer.core.escape import short
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.runs.sweeps.table import SweepTable

Array = NDArray[np.float64]
Gradient = Literal["memory", "hidden", "cell_path"]

#: What can be mapped, in the order in which it is offered.
VALUES = (
    "learnt", "learnt_at", "score", "loss", "log10_share_before", "log10_share_after", "log10_share",
    "largest_exponent",
)  # fmt: skip


def values_of(table: SweepTable) -> tuple[str, ...]:
    """Return what a sweep has of what can be mapped."""
    return tuple(
        name for name in VALUES if name not in table.axes and {"learnt": "learnt_at"}.get(name, name) in table.frame
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class SweepMap:
    """A number over two settings, and over a third that stands side by side.

    Attributes:
        value: What is mapped.
        up: The setting that runs upwards; empty where there is none.
        across: The setting that runs to the right.
        beside: The setting whose maps stand side by side; empty where there is none.
        places: Setting to its values, of these three; of one that is empty a single None.
        numbers: ``(K, M, N)``: beside, up, across. The share of the runs that learnt, or the median over the runs, a
            run that has not learnt counting as infinitely many steps; NaN where there is no run.
        runs: How many runs each is of.
        learnt: How many of them have learnt.
        failed: How many more could not be done.
        whole: Of each map, how many runs learn and how many there are; where a network does not read what varies,
            several cells are the same runs, which are counted once here.
        networks: The architecture of each map that stands side by side, where it is the same in all of it.
    """

    value: str
    up: str
    across: str
    beside: str
    places: tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]
    numbers: Array
    runs: NDArray[np.int64]
    learnt: NDArray[np.int64]
    failed: NDArray[np.int64]
    whole: tuple[tuple[int, int], ...]
    networks: tuple[str | None, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return it as a tidy table: the settings, then ``runs``, ``learnt``, ``failed`` and the number."""
        rows = []
        for beside, up, across in np.ndindex(self.numbers.shape):
            at = (beside, up, across)
            names = zip((self.beside, self.up, self.across), self.places, at, strict=True)
            rows.append(
                {name: values[index] for name, values, index in names if name}
                | {"runs": self.runs[at], "learnt": self.learnt[at], "failed": self.failed[at]}
                | {self.value if self.value != "learnt" else "share_learnt": self.numbers[at]}
            )
        return pd.DataFrame(rows)


@checks_kinds
def sweep_map(
    table: SweepTable,
    value: str = "learnt",
    *,
    axes: tuple[str, str, str] | None = None,
    only: Mapping[str, Any] | None = None,
    gradient: Gradient = "memory",
) -> SweepMap:
    """Return a number of a sweep over two of its settings, and over a third side by side.

    Args:
        table: As :func:`lstm_explorer.load_sweep` returns it.
        value: ``"learnt"``, the share of the runs that learn; ``"learnt_at"``, optimizer steps until then;
            ``"log10_share_before"`` or ``"log10_share_after"``, the share of the gradient that survives the task's lag
            before and after training; ``"score"``, ``"loss"``; of other sweeps ``"log10_share"`` or
            ``"largest_exponent"``.
        axes: The settings upwards, to the right, and side by side; ``""`` for none. By default :func:`usual_axes`.
        only: Setting to the value that it is to have; of the others all values are taken together.
        gradient: Of which gradient shares are.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The sweep has no such setting or number.

    Example:
        >>> from lstm_explorer.runs.sweeps.library import shipped
        >>> found = sweep_map(shipped())
        >>> found.across, found.up, found.beside
        ('sequence_length', 'forget_bias', 'architecture')
    """
    chosen = usual_axes(table) if axes is None else axes
    _check(table, value, chosen, only or {})
    up, across, beside = chosen
    frame = _with_only(table.of_gradient(gradient), only or {})
    places = (table.axes.get(beside, (None,)), table.axes.get(up, (None,)), table.axes[across])
    shape = tuple(map(len, places))
    numbers, runs = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    learnt, failed = np.zeros_like(runs), np.zeros_like(runs)
    for at, part in _parts(frame, (beside, up, across), places):
        done = part[part["error"].isna()]
        runs[at], failed[at] = len(done), len(part) - len(done)
        if "learnt_at" in done:
            learnt[at] = int(done["learnt_at"].notna().sum())
        numbers[at] = _number(done, value)
    whole = tuple(_whole(frame if not beside else frame[frame[beside] == one]) for one in places[0])
    return SweepMap(
        value=value, up=up, across=across, beside=beside, places=places, numbers=numbers, runs=runs, learnt=learnt,
        failed=failed, whole=whole, networks=_networks(table, beside, only or {}),
    )  # fmt: skip


def usual_axes(table: SweepTable) -> tuple[str, str, str]:
    """Return the settings that go upwards, to the right and side by side where nobody says otherwise.

    The length goes to the right, a bias or another number upwards, and networks stand side by side; seeds do not.
    """
    names = [name for name in table.axes if name != "seed"] or list(table.axes)
    rest = [name for name in names if name != "architecture"] or names
    across = "sequence_length" if "sequence_length" in rest else rest[-1]
    others = [name for name in rest if name != across]
    up = next((name for name in others if name.endswith("_bias")), others[0] if others else "")
    if not up and "architecture" in names and across != "architecture":
        return "architecture", across, ""
    return up, across, "architecture" if "architecture" in names and across != "architecture" else ""


def _check(table: SweepTable, value: str, axes: tuple[str, str, str], only: Mapping[str, Any]) -> None:
    if value not in values_of(table):
        raise ValueError(f"value is {short(value)}: expected one of {', '.join(values_of(table))}.")
    if not (len(axes) == 3 and all(isinstance(name, str) for name in axes)):
        raise ValueError(f"axes are {short(axes)}: expected names upwards, to the right and side by side, '' for none.")
    named = [name for name in axes if name]
    for name in (*named, *only):
        if name not in table.axes:
            raise ValueError(f"{short(name)} does not vary in this sweep: expected one of {', '.join(table.axes)}.")
    if len(set(named)) < len(named) or not axes[1]:
        raise ValueError(f"axes are {short(axes)}: expected different settings, of which the second is there.")
    for name, wanted in only.items():
        if wanted not in table.axes[name]:
            raise ValueError(f"{name} is {short(wanted)}: expected one of {', '.join(map(str, table.axes[name]))}.")


def _with_only(frame: pd.DataFrame, only: Mapping[str, Any]) -> pd.DataFrame:
    for name, wanted in only.items():
        frame = frame[frame[name] == wanted]
    return frame


def _parts(
    frame: pd.DataFrame, names: tuple[str, ...], places: tuple[tuple[Any, ...], ...]
) -> Iterator[tuple[tuple[int, ...], pd.DataFrame]]:
    """Yield every place of a map that has rows, with them."""
    used = [name for name in names if name]
    index = [{value: at for at, value in enumerate(values)} for values in places]
    for key, part in frame.groupby(used, sort=False, dropna=False):
        values = dict(zip(used, key if isinstance(key, tuple) else (key,), strict=True))
        yield tuple(at[values.get(name)] for name, at in zip(names, index, strict=True)), part


def _whole(frame: pd.DataFrame) -> tuple[int, int]:
    once = frame[frame["error"].isna()].drop_duplicates("cell")
    return int(once["learnt_at"].notna().sum()) if "learnt_at" in once else 0, len(once)


def _number(done: pd.DataFrame, value: str) -> float:
    if not len(done):
        return math.nan
    if value == "learnt":
        return float(done["learnt_at"].notna().mean())
    numbers = done[value].astype(float)
    return float(numbers.fillna(math.inf).median() if value == "learnt_at" else numbers.median())


def _networks(table: SweepTable, beside: str, only: Mapping[str, Any]) -> tuple[str | None, ...]:
    if beside == "architecture":
        return tuple(table.axes["architecture"])
    network = only.get("architecture")
    if network is None and "architecture" not in table.axes:
        network = table.settings.get("architecture", "lstm")
    return (network,) * len(table.axes.get(beside, (None,)))


@dataclass(frozen=True, eq=False, kw_only=True)
class SweepCurve:
    """The mean loss of some runs over their optimizer steps.

    Attributes:
        at: Value of the setting that tells it from the other curves; None where there is one curve.
        steps: Optimizer steps ``(P,)``.
        lower, median, upper: Quartiles and median over the runs ``(P,)``, each that of a run; a loss that left the
            floats is infinite.
        runs: How many runs there are.
        learnt: How many of them have learnt.
        know_nothing: The loss of the best answer that does not look at the inputs; NaN where it is not known.
    """

    at: Any
    steps: NDArray[np.int64]
    lower: Array
    median: Array
    upper: Array
    runs: int
    learnt: int
    know_nothing: float


@checks_kinds
def sweep_curves(table: SweepTable, by: str, *, only: Mapping[str, Any] | None = None) -> list[SweepCurve]:
    """Return the loss over the optimizer steps, one curve with quartiles for every value of a setting.

    Where the network does not read the setting, so that all values are the same runs, there is one curve, without one.

    Args:
        table: A sweep that trains.
        by: The setting that tells the curves apart; ``""`` for one curve.
        only: Setting to the value that it is to have.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The sweep has no such setting, or no loss curves.
    """
    if "loss_curve" not in table.frame:
        raise ValueError("this sweep has no loss curves: expected one that trains.")
    _check(table, values_of(table)[0], ("", by or next(iter(table.axes)), ""), only or {})
    frame = _with_only(table.of_gradient("memory"), only or {})
    curves = []
    reads = bool(by) and frame["cell"].duplicated().sum() == 0
    for value in table.axes[by] if reads else (None,):
        part = frame[frame[by] == value] if reads else frame.drop_duplicates("cell")
        done = part[part["loss_curve"].notna()]
        if len(done):
            curves.append(_curve(value, done))
    return curves


def _curve(value: Any, done: pd.DataFrame) -> SweepCurve:
    steps = np.asarray(done["loss_steps"].iloc[0], dtype=np.int64)
    same = [np.asarray(one, dtype=float) for one in done["loss_curve"] if len(one) == len(steps)]
    # A run whose loss was lost is worse than any other: it may not leave the quartiles to those that went well.
    whole = np.nan_to_num(np.array(same), nan=np.inf)
    lower, median, upper = np.quantile(whole, (0.25, 0.5, 0.75), axis=0, method="inverted_cdf")  # of runs, not between
    return SweepCurve(
        at=value, steps=steps, lower=lower, median=median, upper=upper, runs=len(same),
        learnt=int(done["learnt_at"].notna().sum()), know_nothing=float(done["know_nothing"].iloc[0]),
    )  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcomes:
    """What survives before training beside what training comes to, one row for every run that differs.

    Attributes:
        frame: The settings that vary, ``log10_share_before`` and ``learnt_at``.
        steps: Optimizer steps of the longest run.
        better: Of all pairs of a run that learns and one that does not, the share in which the learner had the larger
            share before training, ties counting half (the area under the ROC curve); NaN where all or none learn.
        better_alike: The same over the pairs that are alike in the settings of ``alike``.
        alike: Those settings.
    """

    frame: pd.DataFrame
    steps: int
    better: float
    better_alike: float
    alike: tuple[str, ...]


@checks_kinds
def sweep_outcomes(
    table: SweepTable, *, alike: tuple[str, ...] | None = None, gradient: Gradient = "memory"
) -> Outcomes:
    """Ask whether the share of the gradient that survives before training predicts who learns.

    Args:
        table: A sweep that trains.
        alike: Settings in which two runs are to be alike to be compared, as a long sequence is harder for more than
            one reason; by default all but the seed and the biases.
        gradient: Of which gradient the share is.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The sweep trains nothing, or has no such setting.

    Source:
        Mann and Whitney, 1947: the share of pairs is their U over the number of pairs.
    """
    if "log10_share_before" not in table.frame:
        raise ValueError("this sweep trains nothing: expected one with the share before training.")
    usual = tuple(name for name in table.axes if name != "seed" and not name.endswith("_bias"))
    chosen = usual if alike is None else alike
    for name in chosen:
        if name not in table.axes:
            raise ValueError(f"{short(name)} does not vary in this sweep: expected one of {', '.join(table.axes)}.")
    frame = table.of_gradient(gradient)
    frame = frame[frame["error"].isna() & frame["log10_share_before"].notna()].drop_duplicates("cell")
    frame = frame[[*table.axes, "log10_share_before", "learnt_at", "loss_steps"]]
    groups = [part for _key, part in frame.groupby(list(chosen), sort=False)] if chosen else [frame]
    return Outcomes(
        frame=frame.drop(columns="loss_steps").reset_index(drop=True),
        steps=max((int(one[-1]) for one in frame["loss_steps"]), default=0),
        better=_better([frame]), better_alike=_better(groups), alike=chosen,
    )  # fmt: skip


def _better(groups: list[pd.DataFrame]) -> float:
    """Return the share of pairs within groups in which the run that learns had the larger share before."""
    won = pairs = 0.0
    for frame in groups:
        share, learns = frame["log10_share_before"].to_numpy(float), frame["learnt_at"].notna().to_numpy()
        ranks = pd.Series(share).rank().to_numpy()  # of equal ones the mean
        many, others = int(learns.sum()), int((~learns).sum())
        won += ranks[learns].sum() - many * (many + 1) / 2
        pairs += many * others
    return won / pairs if pairs else math.nan
