"""The story in presets, from left to right; the gallery holds the run of each."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from lstm_explorer.core.training.options import Training, TrainingOptions
from lstm_explorer.locales import N_


@dataclass(frozen=True, kw_only=True)
class TrainingPreset:
    """Some trainings that show one thing.

    Attributes:
        title: What they show, marked for translation.
        networks: Architectures that are trained.
        changes: Options that differ from the defaults.
        variants: Of what is compared within one network: more options, one set for each run; one of none otherwise.
    """

    title: str
    networks: tuple[str, ...]
    changes: Mapping[str, Any] = field(default_factory=dict)
    variants: tuple[Mapping[str, Any], ...] = ({},)

    def trainings(self) -> tuple[Training, ...]:
        """Return the runs: of each variant every network, and of each network every seed."""
        options = [TrainingOptions(**dict(self.changes) | dict(variant)) for variant in self.variants]
        return tuple(training for one in options for training in trainings_of(one, self.networks))


def trainings_of(options: TrainingOptions, networks: Sequence[str]) -> tuple[Training, ...]:
    """Return the runs of some networks: replica r has the seed ``seed + r``, and is a run of its own.

    Args:
        options: What is trained and how.
        networks: Names of architectures.

    Example:
        >>> [(one.architecture, one.seed) for one in trainings_of(TrainingOptions(num_seeds=2), ("rnn", "gru"))]
        [('rnn', 0), ('rnn', 1), ('gru', 0), ('gru', 1)]
    """
    shared = {one.name: getattr(options, one.name) for one in fields(TrainingOptions)}
    return tuple(
        Training(**shared | {"architecture": name, "seed": options.seed + replica, "num_seeds": 1})
        for name in networks
        for replica in range(options.num_seeds)
    )


_ALL = ("rnn", "lstm", "gru")
_EXPLODING = {
    "sequence_length": 20, "recurrent_init": "identity", "nonlinearity": "relu", "optimizer": "sgd",
    "learning_rate": 0.02,
}  # fmt: skip

#: Name -> preset, in the order of the story.
PRESETS: Mapping[str, TrainingPreset] = types.MappingProxyType(
    {
        "both_learn": TrainingPreset(
            title=N_("Both learn (T = 10)"), networks=_ALL, changes={"sequence_length": 10, "steps": 600}
        ),
        "gated_learn": TrainingPreset(title=N_("Only the gated learn (T = 80)"), networks=_ALL),
        "forget_bias": TrainingPreset(
            title=N_("A larger forget bias"), networks=("lstm",), variants=({"forget_bias": 1.0}, {"forget_bias": 3.0})
        ),
        "nobody": TrainingPreset(
            title=N_("Nobody (T = 400)"), networks=_ALL, changes={"sequence_length": 400, "steps": 600}
        ),
        "explodes": TrainingPreset(
            title=N_("An RNN explodes, then clipping"), networks=("rnn",), changes=_EXPLODING,
            variants=({"clipping": "none"}, {"clipping": "norm"}),
        ),
        "truncated": TrainingPreset(
            title=N_("Truncated at 20: blind beyond"), networks=("lstm", "gru"), changes={"truncation": 20}
        ),
        "digits": TrainingPreset(
            title=N_("Handwriting, pixel by pixel"), networks=_ALL,
            changes={"task": "digits", "steps": 600, "learning_rate": 3e-3},
        ),
    }
)  # fmt: skip
