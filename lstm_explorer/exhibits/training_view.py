"""The view of the page Training: all its settings, and the runs that they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.record import choice, number, schema, subset, text
from lstm_explorer.core.training.options import Training, TrainingOptions, trainings_of
from lstm_explorer.core.training.presets import Preset
from lstm_explorer.exhibits.view import View
from lstm_explorer.figures.names import parts

_RUN = re.compile(r"[A-Za-z0-9_-]{22}")


def _read_run(text: str) -> str:
    """Return the identifier of a run that was started here, or an empty text.

    Raises:
        ValueError: It is no identifier.
    """
    if text and not _RUN.fullmatch(text):
        raise ValueError(f"run is {text!r}: expected an identifier of 22 letters and digits, as this app makes it.")
    return text


@dataclass(frozen=True, kw_only=True)
class TrainingView(TrainingOptions, View):
    """What is trained on the page, and what of it is drawn.

    Args:
        networks: The networks that are trained, at equal size.
        gradient: Of which state the gradient is drawn.
        run: Identifier of a run that was started here; empty where none was.
        inside: The network that is looked into.
        at: Optimizer steps after which it is looked into; -1 is after the last.
        sample: Which held-out sample it reads.
        step: The step of the sequence that is marked.
        part: Its gate or state that is drawn unit by unit.
    """

    own_settings: ClassVar[bool] = True

    networks: tuple[str, ...] = subset(("rnn", "lstm", "gru"), tuple(ARCHITECTURES))
    gradient: Literal["memory", "hidden", "cell_path"] = "memory"
    run: str = text("", longest=22, reader=_read_run)
    inside: str = choice("lstm", tuple(ARCHITECTURES))
    at: int = number(-1, -1, 10_000_000)
    sample: int = number(0, 0, 100_000, app=(0, 127))
    step: int = number(10, 1, 100_000)
    part: str = choice("forget", tuple(dict.fromkeys(part for name in ARCHITECTURES for part in parts(name))))

    @property
    def trainings(self) -> tuple[Training, ...]:
        """The runs, those of one network beside each other; options that a run does not read are at their defaults."""
        return trainings_of(self, self.networks)


def changes_to(trainings: Sequence[Training]) -> dict[str, Any]:
    """Return the fields of a view with which it means some runs; what none of them reads is at its default.

    Args:
        trainings: As :attr:`TrainingView.trainings` gives them.

    Example:
        >>> view = TrainingView(networks=("rnn", "lstm"), forget_bias=3.0, num_seeds=2)
        >>> TrainingView(**changes_to(view.trainings)) == view
        True
    """
    changes: dict[str, Any] = {name: field.default for name, field in schema(TrainingOptions).items()}
    for name in changes:
        own = [value for one in trainings if (value := getattr(one, name)) != changes[name]]
        changes[name] = own[0] if own else changes[name]
    seeds = {one.seed for one in trainings}
    networks = tuple(dict.fromkeys(one.architecture for one in trainings))
    return changes | {"networks": networks, "seed": min(seeds), "num_seeds": len(seeds)}


def preset_changes(preset: Preset) -> dict[str, Any]:
    """Return the fields of a view that a preset sets: all but what is drawn, so that nothing of another remains."""
    defaults = {name: field.default for name, field in schema(TrainingOptions).items()}
    return defaults | dict(preset.changes) | {"networks": preset.networks}
