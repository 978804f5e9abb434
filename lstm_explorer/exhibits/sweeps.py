"""The exhibits of the page Sweeps: who learns, how the loss falls, and whether the gradient at first told so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.sweep_words import (
    curves_summary,
    map_summary,
    outcomes_summary,
    place_words,
)
from lstm_explorer.exhibits.sweeps_view import SweepsView, axes_of, cell_of, only_of, place_of, shown_of
from lstm_explorer.figures.setting_names import setting_title
from lstm_explorer.figures.sweep_curves import plot_sweep_curves, sweep_curves_spec
from lstm_explorer.figures.sweep_map import plot_sweep_map, sweep_map_spec, value_words
from lstm_explorer.figures.sweep_outcomes import plot_sweep_outcomes, sweep_outcomes_spec
from lstm_explorer.locales import N_, _
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.sweeps import library
from lstm_explorer.runs.sweeps.pooled import SweepCurve, SweepMap, sweep_curves, sweep_map, sweep_outcomes
from lstm_explorer.runs.sweeps.table import SweepTable


def table_of(runner: Runner, view: SweepsView) -> SweepTable:
    """Return the sweep that the view asks for.

    Raises:
        ExplainedError: There is none of that name, or it is in a file that is not here.
    """
    if view.origin == "library":
        return library.find(view.sweep)
    table = runner.own_sweep
    if table is None or table.digest != view.file:
        message = N_(
            "The file of this view is not in this session: an address cannot carry it. Choose it again, or take a "
            "sweep of the app's."
        )
        raise ExplainedError(message, {})
    return table


def map_of(table: SweepTable, view: SweepsView) -> SweepMap:
    """Return the map that the view asks for."""
    return sweep_map(
        table, shown_of(view, table), axes=axes_of(view, table), only=only_of(view, table), gradient=view.gradient
    )


def about(table: SweepTable) -> str:
    """Return what a sweep is of: what varies, and what all of it has in common."""
    varies = ", ".join(f"{setting_title(name)} ({len(values)})" for name, values in table.axes.items())
    shared = {name: value for name, value in table.settings.items() if name not in ("measurements", "samples")}
    parts = [_("Varies: {settings}.").format(settings=varies)]
    if shared:
        parts.append(_("In all of it: {settings}.").format(settings=place_words(shared)))
    return " ".join(parts)


def outcome_map(runner: Runner, settings: Settings, view: SweepsView, pins: Sequence[Any] = ()) -> Exhibit:
    """Return the map over two settings."""
    table = table_of(runner, view)
    found = map_of(table, view)
    picked = place_of(view, found) if "loss_curve" in table.frame else None
    says = map_summary(found)
    return Exhibit(
        name="sweep_map",
        title=_("A sweep: {value}").format(value=value_words(found.value)),
        alt=_("A map of a sweep: {value}. {says}").format(value=value_words(found.value), says=says),
        how_to_read=_how_to_read(found.value),
        summary=says,
        settings=settings,
        about=about(table),
        experiments=(),
        draw=lambda theme: plot_sweep_map(found, picked=picked, theme=theme),
        spec=lambda theme: sweep_map_spec(found, picked=picked, theme=theme),
        numbers=found.to_frame,
        view=view,
    )


def _how_to_read(value: str) -> str:
    if value == "largest_exponent":
        return _(
            "Every cell is the median over the networks with these settings, which differ in their seeds. The larger "
            "the exponent, the more fully it is coloured: below 0 a small change of the state dies out, above 0 it "
            "grows."
        )
    if value == "log10_share":
        return _(
            "Every cell is the median over the networks with these settings, which differ in their seeds. Fully "
            "coloured where all of the gradient arrives at the first step, blank where less than 10⁻⁸ does, violet "
            "where more arrives. The number is log10 of the share."
        )
    return _(
        "Every cell stands for the runs with these settings, which differ in their seeds. The more fully it is "
        "coloured, the better: more runs that learn, fewer steps until then, more of the gradient. A run has "
        "learnt once its mean loss stays below half of knowing nothing. Medians over the runs; one that has not "
        "learnt counts as infinitely many steps. A cross: every run failed. Click a cell to look at its runs."
    )


def loss_curves(runner: Runner, settings: Settings, view: SweepsView, pins: Sequence[Any] = ()) -> Exhibit | None:
    """Return the losses of the column of the cell that is looked at, one curve for each value upwards."""
    table = table_of(runner, view)
    if "loss_curve" not in table.frame:
        return None
    found = map_of(table, view)
    only = {name: value for name, value in cell_of(view, table, found).items() if name != found.up}
    curves = sweep_curves(table, found.up, only=only)
    if not curves:
        return None
    network = only.get("architecture", found.networks[place_of(view, found)[0]])
    where = place_words(only)
    says = curves_summary(curves, found.up)
    return Exhibit(
        name="sweep_curves",
        title=_("How the loss falls: {where}").format(where=where),
        alt=_("Training loss over optimizer steps, one curve per value. {says}").format(says=says),
        how_to_read=_(
            "The mean training loss of 25 optimizer steps: the line is the median over the runs, the band lies between "
            "their quartiles. Dashed grey is the loss of knowing nothing, dotted half of it, below which a run counts "
            "as having learnt."
        ),
        summary=says,
        settings=settings,
        about=about(table),
        experiments=(),
        draw=lambda theme: plot_sweep_curves(curves, by=found.up, network=network, theme=theme),
        spec=lambda theme: sweep_curves_spec(curves, by=found.up, network=network, theme=theme),
        numbers=lambda: _curves_table(curves, found.up),
        view=view,
    )


def _curves_table(curves: Sequence[SweepCurve], by: str) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                **({by: one.at} if by else {}),
                "optimizer_step": one.steps, "loss_lower": one.lower, "loss_median": one.median,
                "loss_upper": one.upper, "runs": one.runs,
            }
        )
        for one in curves
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def before_and_after(runner: Runner, settings: Settings, view: SweepsView, pins: Sequence[Any] = ()) -> Exhibit | None:
    """Return every run, by what survived before training and when it has learnt."""
    table = table_of(runner, view)
    if "log10_share_before" not in table.frame:
        return None
    found = sweep_outcomes(table, gradient=view.gradient)
    says = outcomes_summary(found)
    return Exhibit(
        name="sweep_outcomes",
        title=_("Does the gradient before training tell who learns?"),
        alt=_("Every run of the sweep by the share that survived before training. {says}").format(says=says),
        how_to_read=_(
            "Every point is a run of the sweep. To the right more of the gradient survived the lag that the task needs "
            "before the first optimizer step; downwards the run learnt sooner. Runs that have not learnt lie in the "
            "grey strip, where their height says nothing. A share below 10⁻⁴⁰ is drawn at the edge."
        ),
        summary=says,
        settings=settings,
        about=about(table),
        experiments=(),
        draw=lambda theme: plot_sweep_outcomes(found, theme=theme),
        spec=lambda theme: sweep_outcomes_spec(found, theme=theme),
        numbers=lambda: found.frame,
        view=view,
    )
