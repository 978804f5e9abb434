"""The view of the page Sweeps: which sweep is looked at, and what of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lstm_explorer.core.record import choice, number, text
from lstm_explorer.exhibits.view import View
from lstm_explorer.runs.sweeps.library import SHIPPED
from lstm_explorer.runs.sweeps.pooled import VALUES, Gradient, SweepMap, usual_axes, values_of
from lstm_explorer.runs.sweeps.table import SETTINGS, SweepTable

#: As the page understands an axis: as usual, none, or a setting.
USUAL, NONE = "usual", "none"
_AXES = (USUAL, NONE, *SETTINGS)


@dataclass(frozen=True, kw_only=True)
class SweepsView(View):
    """What is looked at on the page.

    Args:
        origin: Whether the sweep is one that the app has, or comes from a file of the reader's.
        sweep: Name of the app's.
        file: What tells one file from others; an address cannot carry the file itself.
        shown: What is mapped.
        gradient: Of which gradient shares are.
        up: The setting that runs upwards.
        across: The setting that runs to the right.
        beside: The setting whose maps stand side by side.
        only: Values that other settings are to have, as ``name:value,name:value``.
        at_up: Which cell is looked at, counted upwards; -1 is one where some runs learn and some do not.
        at_across: The same to the right.
        at_beside: The same side by side.
    """

    own_settings: ClassVar[bool] = True

    origin: Literal["library", "file"] = "library"
    sweep: str = text(SHIPPED, longest=200)
    file: str = text("", longest=16)
    shown: str = choice("learnt", VALUES)
    gradient: Gradient = "memory"
    up: str = choice(USUAL, _AXES)
    across: str = choice(USUAL, _AXES)
    beside: str = choice(USUAL, _AXES)
    only: str = text("", longest=400)
    at_up: int = number(-1, -1, 100_000)
    at_across: int = number(-1, -1, 100_000)
    at_beside: int = number(-1, -1, 100_000)


def axes_of(view: SweepsView, table: SweepTable) -> tuple[str, str, str]:
    """Return the settings upwards, to the right and side by side: as asked for where the sweep has them, else others.

    Args:
        view: What is asked for.
        table: The sweep.
    """
    free = dict.fromkeys(table.axes)
    asked = {name: getattr(view, name) for name in ("across", "up", "beside")}
    taken: dict[str, str] = {}
    for name, wanted in asked.items():
        if wanted in free and wanted not in taken.values():
            taken[name] = wanted
        elif wanted == NONE and name != "across":
            taken[name] = ""
    usual = dict(zip(("up", "across", "beside"), usual_axes(table), strict=True))
    for name in asked:
        if name not in taken:
            left = [one for one in (usual[name], usual["up"], *free) if one not in taken.values() and one != "seed"]
            taken[name] = left[0] if left and (usual[name] or name == "across") else ""
    if not taken["across"]:
        taken["across"] = next(one for one in (*free, "") if one not in (taken["up"], taken["beside"]))
    return taken["up"], taken["across"], taken["beside"]


def shown_of(view: SweepsView, table: SweepTable) -> str:
    """Return what is mapped: as asked for where the sweep has it."""
    there = values_of(table)
    return view.shown if view.shown in there else there[0]


def only_of(view: SweepsView, table: SweepTable) -> dict[str, Any]:
    """Return the values that settings are to have, of those that are no axis of the map."""
    asked = dict(part.partition(":")[::2] for part in view.only.split(",") if ":" in part)
    free = [name for name in table.axes if name not in axes_of(view, table)]
    return {name: value for name in free if name in asked for value in table.axes[name] if str(value) == asked[name]}


def with_only(view: SweepsView, table: SweepTable, name: str, value: Any) -> str:
    """Return the text of the view's ``only`` in which a setting has a value; None takes it out."""
    kept = {**only_of(view, table), name: value}
    return ",".join(f"{one}:{wanted}" for one, wanted in kept.items() if wanted is not None)


def place_of(view: SweepsView, found: SweepMap) -> tuple[int, int, int]:
    """Return the cell that is looked at: as asked for, else one where some runs learn and some do not."""
    asked = (view.at_beside, view.at_up, view.at_across)
    usual = _undecided(found)
    return tuple(  # type: ignore[return-value]
        one if 0 <= one < size else other for one, size, other in zip(asked, found.numbers.shape, usual, strict=True)
    )


def _undecided(found: SweepMap) -> tuple[int, int, int]:
    places = [(one, up, across) for one, up, across in _indices(found) if found.runs[one, up, across]]
    if not places:
        return 0, 0, 0
    return min(places, key=lambda at: abs(found.learnt[at] / found.runs[at] - 0.5))


def _indices(found: SweepMap) -> list[tuple[int, int, int]]:
    beside, up, across = found.numbers.shape
    return [(one, row, column) for one in range(beside) for row in range(up) for column in range(across)]


def cell_of(view: SweepsView, table: SweepTable, found: SweepMap) -> dict[str, Any]:
    """Return the values of all settings that the cell that is looked at fixes, those of ``only`` among them."""
    at = place_of(view, found)
    named = zip((found.beside, found.up, found.across), found.places, at, strict=True)
    return {name: values[index] for name, values, index in named if name} | only_of(view, table)
