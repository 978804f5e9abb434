"""The page Training: its controls, the run that it starts and watches, and the picture."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

import streamlit as st

from lstm_explorer.core.errors import ExplainedError, reason_of
from lstm_explorer.core.training.options import SERIES
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.training import found_runs, status_of, training_exhibit
from lstm_explorer.exhibits.training_view import TrainingView, changes_to, preset_changes
from lstm_explorer.exhibits.words import OPTIMIZERS
from lstm_explorer.figures.names import network_names
from lstm_explorer.locales import N_, _, translated
from lstm_explorer.runs.training import background, gallery
from lstm_explorer.ui import uploads
from lstm_explorer.ui.controls import (
    presets,
    setting_choice,
    setting_number,
    setting_slider,
    setting_subset,
    setting_text,
)
from lstm_explorer.ui.elsewhere import trouble
from lstm_explorer.ui.figure import show_figure
from lstm_explorer.ui.lab import bias_controls, weight_controls
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.session import apply
from lstm_explorer.ui.toolbar import show_exhibit
from lstm_explorer.ui.trained import rows_of

_LOG = logging.getLogger("lstm_explorer")

#: Seconds between two looks at a run that goes on, and its states while it does.
_EVERY, _GOING_ON = 1.0, ("waiting", "running")
#: What could not be done of what was asked for last, as its template and values.
_REFUSED = "lstm_explorer_training_refused"
#: Learning rates and thresholds that are offered.
_RATES = (1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
_THRESHOLDS = (0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0)


def preset_controls() -> None:
    """Draw the presets, which tell the story from left to right."""
    options = {code: (translated(one.title), preset_changes(one)) for code, one in PRESETS.items()}
    lit = presets(_("From left to right"), options)
    if lit and PRESETS[lit].note:
        st.caption(translated(PRESETS[lit].note))


def controls(view: TrainingView) -> None:
    """Draw every option of the training, in the order a reader needs them."""
    task = TASKS[view.task]
    setting_choice("task", _("Task"), {name: translated(one.title) for name, one in TASKS.items()}, side_by_side=0)
    st.caption(translated(task.about))
    _task_controls(view)
    setting_subset("networks", _("Networks"), network_names())
    with st.expander(_("Gate biases"), expanded=True):
        bias_controls(view.networks)
    parts = {
        "optimizer": (_("Optimizer, clipping, truncation"), lambda: _optimizer_controls(view)),
        "training_weights": (_("Weights"), lambda: weight_controls(view.networks)),
        "training_size": (_("Size, seeds and measuring"), lambda: _size_controls(view)),
    }
    for name, (label, draw) in parts.items():
        with st.expander(label, on_change="rerun", key=f"{name}_open") as expander:
            if expander.open:
                draw()


def _task_controls(view: TrainingView) -> None:
    """Draw the options of the task."""
    if TASKS[view.task].reads_table:
        uploads.table_control()
        setting_number("column", _("Column that is predicted, from 1"))
    if view.reads("sequence_length"):
        name = _("Delay (steps)") if view.task == "copy" else _("Sequence length (steps)")
        setting_number("sequence_length", name, help=_("How far back the network must remember."))
    if view.task == "digits":
        setting_slider("blank_steps", _("Blank steps after the digit"), step=5)
    if view.task in SERIES:
        setting_number("horizon", _("Steps ahead"))
    if view.task == "numbers":
        setting_choice("target", _("Translated into"), {"korean": _("Korean"), "digits": _("digits")})
    if view.task == "text":
        setting_text("text", _("Your own text"), tall=True, help=_("Empty: a passage that comes with the app."))


def _optimizer_controls(view: TrainingView) -> None:
    setting_choice("optimizer", _("Optimizer"), OPTIMIZERS)
    setting_choice("learning_rate", _("Learning rate"), {rate: f"{rate:g}" for rate in _RATES})  # type: ignore[misc]
    if view.reads("momentum"):
        setting_slider("momentum", _("Momentum"), step=0.05)
    if view.reads("weight_decay"):
        setting_slider("weight_decay", _("Weight decay"), step=0.01)
    setting_number("steps", _("Optimizer steps"))
    setting_choice(
        "clipping", _("Gradient clipping"), {"norm": _("by norm"), "value": _("by value"), "none": _("none")},
        help=_("PyTorch's clip_grad_norm_ and clip_grad_value_. It bounds an explosion; it cures no vanishing."),
    )  # fmt: skip
    if view.reads("clip_at"):
        setting_choice("clip_at", _("Clipped at"), {one: f"{one:g}" for one in _THRESHOLDS})  # type: ignore[misc]
    setting_slider(
        "truncation", _("Truncated back-propagation (steps)"), step=5,
        help=_("States are detached every so many steps, counted back from the last: beyond, no gradient. 0 is never."),
    )  # fmt: skip


def _size_controls(view: TrainingView) -> None:
    setting_number("hidden_size", _("Hidden size (units)"))
    setting_slider("num_layers", _("Layers"))
    setting_number("batch_size", _("Batch (samples)"))
    setting_slider("num_seeds", _("Seeds"), help=_("The median loss is drawn, and the quartiles as a band."))
    setting_number("seed", _("First seed"))
    setting_number("measurements", _("Measurements in a run"))
    setting_choice(
        "gradient", _("Maps of the gradient of"),
        {"memory": _("what remembers"), "hidden": _("hidden state h"), "cell_path": _("c, cell path alone")},
    )  # fmt: skip


def picture(view: TrainingView) -> None:
    """Draw the run with these settings: the one started here, else one of the gallery, else how to start one."""
    if refused := st.session_state.pop(_REFUSED, None):
        st.error(translated(refused[0]).format(**refused[1]), icon=":material/error:")
    status = status_of(view)
    if view.run and status is None:
        st.caption(_("The run of this address is not kept here any more: a week at most, less where there are many."))
    if status is not None and status.trainings and status.trainings != view.trainings:
        _other_settings(status)
        status = None
    if status is None:
        _not_started(view)
    elif status.state in _GOING_ON:
        _watched(view)
    else:
        _run(view, status)


@fragment(run_every=_EVERY)
def _watched(view: TrainingView) -> None:
    """Draw a run that goes on, every second anew; the end of it draws the whole page."""
    status = status_of(view)
    if status is None or status.state not in _GOING_ON:
        st.rerun()
    _run(view, status)


def _run(view: TrainingView, status: background.RunStatus) -> None:
    """Draw how far a run is, and its curves so far."""
    _state(view, status)
    runs = found_runs(view)
    if not runs:
        return
    if not any(len(run.steps) for run in runs):
        st.info(training_exhibit(runs, view, playable=False).summary)
    elif status.state in _GOING_ON:
        show_figure(training_exhibit(runs, view, playable=False), key="training")
    else:
        _show(training_exhibit(runs, view))


def _show(exhibit: Exhibit) -> None:
    """Draw the figure, what it says above it: it is taller than a screen."""
    show_exhibit(exhibit, words=st.container())


def _not_started(view: TrainingView) -> None:
    """Draw what the gallery has, and the button that trains."""
    found = [gallery.find(training) for training in view.trainings]
    runs = [run for run in found if run is not None]
    refusal = background.refusal(view.trainings)
    if TASKS[view.task].reads_table and uploads.current_table() is None:
        refusal = _("Choose a CSV file first.")
    label = _("Run it yourself") if runs else _("Train")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            label, key="train", type="primary", icon=":material/play_arrow:", on_click=_start, args=(view,),
            disabled=bool(refusal),
        )  # fmt: skip
        if runs:
            st.caption(_("Trained beforehand with exactly these settings, and shipped with the app."))
    if refusal:
        st.info(refusal)
    else:
        with contextlib.suppress(OSError):
            background.prepare()  # so that the first curve is there a second after the click
    if runs:
        _show(training_exhibit(runs, view))
    elif not refusal:
        st.info(_("Nothing was trained with these settings yet. Press Train: the curves appear while it learns."))


def _start(view: TrainingView) -> None:
    """Start a run, in place of the one that this page started before."""
    before = status_of(view)
    with _refusals():
        if before is not None and before.state in _GOING_ON:
            background.stop(view.run)
        apply(run=background.start(view.trainings, rows_of(view)))


def _ask(what: Callable[[str], None], run: str) -> None:
    """Ask something of a run: to pause, to stop, to go on."""
    with _refusals():
        what(run)


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Keep why something could not be done, for the run that follows: a callback has no place to say it."""
    try:
        yield
    except ExplainedError as error:
        st.session_state[_REFUSED] = (error.template, error.values)
    except ValueError as error:  # too much for this server
        st.session_state[_REFUSED] = ("{reason}", {"reason": str(error)})
    except OSError as error:
        _LOG.warning("a training could not be kept: %s", error)
        message = N_("The folder of trainings cannot be written: {reason}.")
        st.session_state[_REFUSED] = (message, {"reason": reason_of(error)})


def _state(view: TrainingView, status: background.RunStatus) -> None:
    """Draw how far the run is, and its buttons."""
    done, total = sum(status.done), sum(status.total)
    words = {
        "waiting": _("Waiting: {place} before it.").format(place=status.place)
        if status.place
        else _("It begins in a moment."),
        "running": _("Training: {done} of {total} steps.").format(done=done, total=total),
        "paused": _("Paused after {done} of {total} steps.").format(done=done, total=total),
        "stopped": _("Stopped after {done} of {total} steps.").format(done=done, total=total),
        "interrupted": _("It was interrupted after {done} of {total} steps; what was done is kept.").format(
            done=done, total=total
        ),
        "failed": _("The run failed: {why}").format(why=status.message),
        "done": _("Trained here: {runs} × {steps} steps.").format(runs=len(status.total), steps=max(status.total)),
    }
    text = words[status.state]
    if status.state == "running" and status.seconds_left is not None:
        text += " " + _("About {seconds:.0f} s left.").format(seconds=status.seconds_left)
    with st.container(horizontal=True, vertical_alignment="center", key="training_state"):
        if status.state in _GOING_ON:
            st.progress(done / total if total else 0.0, text=text)
            st.button(_("Pause"), key="pause_training", on_click=_ask, args=(background.pause, view.run))
            st.button(_("Stop"), key="stop_training", on_click=_ask, args=(background.stop, view.run))
        else:
            st.caption(text)
        if status.state in ("paused", "stopped", "interrupted", "failed"):
            st.button(
                _("Go on"), key="resume_training", type="primary", on_click=_ask, args=(background.resume, view.run)
            )
        if status.state == "failed" or (status.state == "done" and TASKS[view.task].reads_table):
            st.button(_("Train again"), key="train", icon=":material/replay:", on_click=_start, args=(view,))
    if status.trouble:
        trouble(status.trouble)
    if status.workers:
        st.caption(_("Trained on the cluster of this server (workers: {workers}).").format(workers=status.workers))


def _other_settings(status: background.RunStatus) -> None:
    """Say that the run in the address has other settings than the controls, and offer to show it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        goes_on = _("The run that you started has other settings; it goes on.")
        st.caption(goes_on if status.state in _GOING_ON else _("The run that you started has other settings."))
        st.button(_("Show it"), key="show_training", on_click=_take_settings, args=(status,))


def _take_settings(status: background.RunStatus) -> None:
    apply(**changes_to(status.trainings))
