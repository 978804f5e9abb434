"""The exhibit of the page Start here: the way back through an RNN and an LSTM, with the forget bias on a slider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.summaries import Curve, Quantity, summarise
from lstm_explorer.core.reading import unread
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.theory import log10_cell_path
from lstm_explorer.exhibits.curve_summaries import curves_summary
from lstm_explorer.exhibits.curve_table import curve_numbers
from lstm_explorer.exhibits.exhibit import Exhibit, StillPart
from lstm_explorer.exhibits.theory import theory_lines
from lstm_explorer.exhibits.view import View
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.journey import Slider, Stop, journey_frames, journey_spec, plot_journey
from lstm_explorer.locales import _
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Flow, Map

#: Forget biases of the slider inside the figure, and the most numbers of a state that are measured for them.
SLIDER_BIASES = np.arange(-1.0, 6.01, 0.25)
_SLIDER_NUMBERS = 2_500_000


def journey(runner: Runner, settings: Settings, view: View, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the exhibit of the page Start here; there the recurrent gain applies to the RNN alone."""
    rnn = Experiment(architecture="rnn", settings=settings, table=runner.table)
    lstm = Experiment(architecture="lstm", settings=settings.replace(recurrent_gain=1.0), table=runner.table)
    of_rnn, of_lstm = (runner.run(Flow(experiment=one)) for one in (rnn, lstm))
    if of_rnn is None or of_lstm is None:
        return None
    strips = [Series(name="RNN", network="rnn", curve=summarise(of_rnn, "hidden")), *_lstm_curves(of_lstm)[:1]]
    path = _lstm_curves(of_lstm)[1]
    theory = (*theory_lines(runner, rnn), *theory_lines(runner, lstm))
    series = (*strips, path)
    slider, job = _bias_slider(runner, lstm)
    drawn: dict[str, Any] = {"beside": [path], "theory": theory, "slider": slider}
    still = None
    if slider and job:
        still = StillPart(
            job=job,
            options=(slider.labels, tuple(line.about for line in theory)),
            make=lambda theme: {"data": [], "layout": {}, "frames": journey_frames(strips, **drawn)},
            complete=lambda part, theme: journey_spec(strips, theme=theme, frames=part["frames"], **drawn),
        )
    return Exhibit(
        name="journey",
        title=_("The gradient's way back through an RNN and an LSTM"),
        alt=_("Gradient reaching each step of an RNN and an LSTM. {says}").format(
            says=curves_summary(strips, escape=str)
        ),
        how_to_read=_(
            "Each strip is a network unrolled in time, one cell per step. The loss is at the right; a cell is fully "
            "coloured where all of the gradient arrives and blank where less than 10⁻⁸ of it does. The curves "
            "below are the same numbers on a logarithmic scale: measured by exact back-propagation through a real "
            "nn.RNN (its hidden state) and a real nn.LSTM (its cell state). Violet cells receive more than left "
            "the loss. Grey lines are theory; the dotted line in the LSTM's colour is the part that travels by the "
            "cell state alone."
        ),
        summary=curves_summary(series),
        settings=settings,
        experiments=(rnn, lstm),
        draw=lambda theme: plot_journey(strips, theme=theme, **drawn),
        spec=lambda theme: journey_spec(strips, theme=theme, **drawn),
        still=still,
        numbers=partial(curve_numbers, series, theory),
        series=series,
        measured=(rnn, lstm, lstm),
        theory=theory,
    )


def _lstm_curves(flow: GradientFlow) -> list[Series]:
    """Return the curves of the LSTM on the page Start here: of dL/dc, and of what travels by the cell alone."""
    return [_of_cell(summarise(flow, "cell")), _of_cell(summarise(flow, "cell_path"))]


def _of_cell(curve: Curve) -> Series:
    alone = curve.quantity == "cell_path"
    return Series(
        name=_("LSTM, cell path alone") if alone else "LSTM", network="lstm", curve=curve,
        style="path" if alone else "solid",
    )  # fmt: skip


def _bias_slider(runner: Runner, lstm: Experiment) -> tuple[Slider | None, Map | None]:
    """Return curves for a range of forget biases, and their measurement.

    None where the bias is not read, or they would take too long.
    """
    own = lstm.settings.forget_bias
    biases = tuple(sorted({*SLIDER_BIASES.tolist(), own}))
    numbers = lstm.numbers * lstm.settings.num_seeds * len(biases)
    if "forget_bias" in unread(lstm.architecture, lstm.settings) or numbers > _SLIDER_NUMBERS:
        return None, None
    job = Map(experiment=lstm, gate="forget", biases=biases)
    swept = runner.run(job)
    if swept is None or len(swept.biases) < len(biases):
        return None, None
    theory = theory_lines(runner, lstm)
    curves = {name: swept.ratios(name) for name in ("cell", "cell_path")}
    every = np.concatenate([table.ravel() for table in curves.values()])
    every = every[np.isfinite(every)]

    def stops() -> list[Stop]:
        return [
            Stop(
                label=f"{bias:g}",
                strip=_of_cell(_drawn(curves["cell"][at], "cell")),
                beside=[_of_cell(_drawn(curves["cell_path"][at], "cell_path"))],
                theory=[replace(line, log10_rate=float(log10_cell_path(bias, 1))) for line in theory],
            )
            for at, bias in enumerate(biases)
        ]

    span = float(every.min(initial=0.0)), float(every.max(initial=0.0))
    labels = tuple(f"{bias:g}" for bias in biases)
    title = _("Forget-gate bias of the LSTM")
    return Slider(title=title, labels=labels, at=biases.index(own), span=span, stops=stops), job


def _drawn(median: NDArray[np.float64], quantity: Quantity) -> Curve:
    steps = np.arange(len(median))
    return Curve(quantity=quantity, steps=steps, median=median, lower=median, upper=median, runs=1, relative=True)
