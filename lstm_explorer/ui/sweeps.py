"""The page Sweeps: which sweep, what of it, the runs behind a cell, and the way to one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from lstm_explorer.core.escape import markdown
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.training.options import Training
from lstm_explorer.exhibits.sweep_words import place_words
from lstm_explorer.exhibits.sweeps import about, before_and_after, loss_curves, map_of, outcome_map, table_of
from lstm_explorer.exhibits.sweeps_view import (
    NONE,
    SweepsView,
    axes_of,
    cell_of,
    only_of,
    place_of,
    shown_of,
    with_only,
)
from lstm_explorer.exhibits.training_view import TrainingView, changes_to
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.setting_names import setting_title, value_title
from lstm_explorer.figures.sweep_map import place_at, value_words
from lstm_explorer.locales import _
from lstm_explorer.runs.sweeps import library
from lstm_explorer.runs.sweeps.pooled import SweepMap, values_of
from lstm_explorer.runs.sweeps.table import SweepTable
from lstm_explorer.ui import address
from lstm_explorer.ui.controls import choice_of, setting_choice
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import apply, current_settings, current_view
from lstm_explorer.ui.sweep_files import sweep_control
from lstm_explorer.ui.toolbar import show_exhibit


def controls() -> SweepTable | None:
    """Draw the choice of a sweep, of what is mapped, and of the settings that it is mapped over.

    Returns:
        The sweep; None where there is none, and a box says why.
    """
    view: SweepsView = current_view()
    setting_choice("origin", _("The sweep"), {"library": _("from the app"), "file": _("from your file")})
    if view.origin == "file":
        own = sweep_control()
        if own is None and not view.file:
            return None
        if own is not None:
            st.caption(markdown(own.name))
            if view.file != own.table.digest:
                apply(file=own.table.digest)
    elif len(names := library.names()) > 1:
        titles = {name: _sweep_title(name) for name in names}
        setting_choice("sweep", _("Which"), titles, side_by_side=0)
        st.button(_("Read again"), key="read_again", icon=":material/refresh:", help=_("For a sweep that goes on."))
    with shielded():
        table = table_of(CachedRunner(), current_view())
        _about(table)
        _axes_controls(table, current_view())
        return table
    return None


def _sweep_title(name: str) -> str:
    return _("Adding problem: length, forget bias, network") if name == library.SHIPPED else name


def _about(table: SweepTable) -> None:
    """Say what the sweep is of, and how much of it is done."""
    done = table.frame["cell"].notna().sum() if "quantity" not in table.frame else len(table.of_gradient("hidden"))
    st.caption(markdown(about(table)))
    if done < table.planned:
        st.caption(_("{done} of {planned} cells are done.").format(done=done, planned=table.planned))


def _axes_controls(table: SweepTable, view: SweepsView) -> None:
    there, now = values_of(table), shown_of(view, table)
    choice_of("sweep_shown", _("What is mapped"), {name: value_words(name) for name in there}, now, _take("shown"))
    if now.startswith("log10_"):
        setting_choice(
            "gradient", _("Gradient of"),
            {"memory": _("what remembers"), "hidden": _("hidden state h"), "cell_path": _("c, cell path alone")},
        )  # fmt: skip
    up, across, beside = axes_of(view, table)
    names = {name: setting_title(name) for name in table.axes}
    none = {NONE: _("nothing")}
    choice_of("sweep_across", _("To the right"), names, across, _take("across"))
    choice_of("sweep_up", _("Upwards"), names | none, up or NONE, _take("up"))
    choice_of("sweep_beside", _("Side by side"), names | none, beside or NONE, _take("beside"))
    only = only_of(view, table)
    for name in table.axes:
        if name not in (up, across, beside):
            _only_control(table, name, only.get(name))


def _take(field: str) -> Callable[[str], None]:
    """Return what takes a choice over; cells are counted anew along other axes."""
    anew = {} if field == "shown" else {"at_up": -1, "at_across": -1, "at_beside": -1}
    return lambda wanted: apply(**{field: wanted, **anew})


def _only_control(table: SweepTable, name: str, value: Any) -> None:
    """Draw the choice of one value of a setting that is no axis, or of all together."""
    values = dict(enumerate(table.axes[name]))
    at = next((index for index, one in values.items() if one == value), -1)
    names = {-1: _("all together")} | {index: value_title(name, one) for index, one in values.items()}
    choice_of(
        f"sweep_only_{name}", setting_title(name), names, at,
        lambda index: apply(only=with_only(current_view(), table, name, values.get(index))),
    )  # fmt: skip


def picture(table: SweepTable | None) -> None:
    """Draw the map."""
    view: SweepsView = current_view()
    if table is not None:
        with shielded():
            show_exhibit(outcome_map(CachedRunner(), current_settings(), view), words=st.container())
    elif view.origin == "file":
        st.info(
            _(
                "Choose the table of a sweep: lstm-explorer sweep writes it, sweep.parquet, into the folder of --out. "
                "On your own machine the app also lists the sweeps in the folder that LSTM_EXPLORER_SWEEPS names, "
                "while they go on."
            )
        )


def closer_look(table: SweepTable) -> None:
    """Draw the runs of the cell that is looked at, and what the gradient before training says."""
    runner, settings, view = CachedRunner(), current_settings(), current_view()
    if table.measure == "training":
        st.subheader(_("The runs of a cell"))
        found = map_of(table, view)
        _place_controls(found, view)
        left, right = st.columns([6, 5], gap="medium")
        with left, shielded():
            if curves := loss_curves(runner, settings, view):
                show_exhibit(curves)
        with right, shielded():
            _runs(table, cell_of(view, table, found))
    with shielded():
        if exhibit := before_and_after(runner, settings, view):
            st.subheader(_("Does the gradient before training tell who learns?"))
            show_exhibit(exhibit, words=st.container())


def _place_controls(found: SweepMap, view: SweepsView) -> None:
    """Draw the choice of a cell, for those who do not click."""
    at = place_of(view, found)
    fields = zip(("at_beside", "at_up", "at_across"), (found.beside, found.up, found.across), strict=True)
    with st.container(horizontal=True, key="sweep_place"):
        for index, (field, name) in enumerate(fields):
            if name:
                names = {place: value_title(name, value) for place, value in enumerate(found.places[index])}
                choice_of(f"sweep_{field}", setting_title(name), names, at[index], _take_place(field), width=220)


def _take_place(field: str) -> Callable[[int], None]:
    return lambda place: apply(**{field: place})


def pick_cell(across: float, up: float) -> None:
    """Look at the cell that was clicked on in the map; a callback."""
    view = current_view()
    found = map_of(table_of(CachedRunner(), view), view)
    if place := place_at(found, across, up):
        apply(at_beside=place[0], at_up=place[1], at_across=place[2])


def _runs(table: SweepTable, cell: dict[str, Any]) -> None:
    """Draw the runs of a cell as a table, and the way to one of them."""
    frame = table.of_gradient("memory")
    for name, value in cell.items():
        frame = frame[frame[name] == value]
    st.markdown(f"**{markdown(place_words(cell))}**")
    if not len(frame):
        st.info(_("No run of this cell is done yet."))
        return
    free = [name for name in table.axes if name not in cell]
    st.dataframe(_runs_table(frame, free), hide_index=True)
    runs = [{**cell, **{name: row[name] for name in free}} for row in frame.to_dict("records")]
    at = 0
    if len(runs) > 1:
        names = [place_words({name: run[name] for name in free}) for run in runs]
        at = st.selectbox(_("Run"), range(len(runs)), format_func=names.__getitem__, key=f"sweep_run_{len(runs)}")
    _open(table.training(**runs[min(at, len(runs) - 1)]))


def _runs_table(frame: pd.DataFrame, free: list[str]) -> pd.DataFrame:
    rows = []
    for row in frame.to_dict("records"):
        named = {setting_title(name): value_title(name, row[name]) for name in free}
        if row["error"] is not None and not pd.isna(row["error"]):
            rows.append(named | {_("learnt at step"): _("failed: {why}").format(why=row["error"])})
            continue
        rows.append(
            named
            | {
                _("learnt at step"): "–" if pd.isna(row["learnt_at"]) else f"{row['learnt_at']:.0f}",
                _("loss at the end"): f"{row['loss']:.3g}",
                _("survived before"): percent(row["log10_share_before"]),
                _("survives after"): percent(row["log10_share_after"]),
            }
        )
    return pd.DataFrame(rows)


def _open(training: Training) -> None:
    """Draw the way to a run: the page Training with its settings, and the line of Python that repeats it."""
    # How often it is measured changes no number of the training: on its own page it is measured as is usual there.
    shown = training.replace(measurements=schema(Training)["measurements"].default)
    view = TrainingView(**changes_to([shown]))
    fits = all(
        field.app_limits is None or field.app_limits.low <= getattr(shown, name) <= field.app_limits.high
        for name, field in schema(Training).items()
    )
    if fits:
        st.link_button(_("Open this run"), address.link_to("training", Settings(), view), icon=":material/open_in_new:")
        st.caption(_("On the page Training, with these settings: trained there, it comes to the same numbers."))
    else:
        st.caption(_("This run is larger than this server trains. In Python it comes to the same numbers:"))
    given = ", ".join(f"{name}={getattr(shown, name)!r}" for name in shown.to_query())
    st.code(f"lx.train(lx.Training({given}))", language="python", wrap_lines=True)
