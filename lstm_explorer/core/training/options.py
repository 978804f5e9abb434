"""The record that says what is trained, and how."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

from lstm_explorer.core.architectures import ARCHITECTURES, architecture_named
from lstm_explorer.core.reading import unread
from lstm_explorer.core.record import choice, number, schema, text
from lstm_explorer.core.settings import NetworkSettings, Settings

TaskName = Literal["adding", "copy", "order", "digits", "vowels", "sunspots", "co2", "numbers", "text", "csv"]

#: Tasks that read ``sequence_length``, and those of them that predict a series.
_OF_ANY_LENGTH = ("adding", "copy", "order", "sunspots", "co2", "text", "csv")
SERIES = ("sunspots", "co2", "csv")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(NetworkSettings):
    """What is trained and how, apart from the architecture.

    Args:
        task: What is to be learnt; see :data:`lstm_explorer.core.training.tasks.TASKS`.
        sequence_length: Steps :math:`T` of the tasks that have no length of their own; the delay of copy memory, which
            has 20 steps more.
        blank_steps: Blank steps between a handwritten digit and the answer.
        horizon: How many steps ahead a series is predicted.
        column: Which column of a table is predicted, counted from 1.
        target: What numbers are translated into.
        text: The text of which the next character is predicted.
        optimizer: PyTorch's own, with PyTorch's defaults where no option below says otherwise.
        learning_rate: Its step size.
        momentum: Of SGD.
        weight_decay: Of AdamW.
        clipping: PyTorch's ``clip_grad_norm_``, ``clip_grad_value_``, or none.
        clip_at: The largest norm, or the largest value, that clipping leaves.
        truncation: The states are detached every so many steps, counted back from the last; 0 never detaches.
        steps: Optimizer steps.
        measurements: How often the gradient is measured and the held-out data is scored, besides before the first step.
        samples: Samples of a batch on which the gradient is measured.
    """

    task: TaskName = "adding"
    sequence_length: int = number(80, 2, 100_000, app=(2, 500), read_when={"task": _OF_ANY_LENGTH})
    hidden_size: int = number(64, 1, 4096, app=(1, 128))
    num_layers: int = number(1, 1, 64, app=(1, 3))
    batch_size: int = number(64, 1, 65_536, app=(1, 128))
    num_seeds: int = number(1, 1, 1024, app=(1, 5))
    blank_steps: int = number(0, 0, 100_000, app=(0, 200), read_when={"task": ("digits",)})
    horizon: int = number(1, 1, 10_000, app=(1, 100), read_when={"task": SERIES})
    column: int = number(1, 1, 4096, app=(1, 256), read_when={"task": ("csv",)})
    target: Literal["korean", "digits"] = choice("korean", ("korean", "digits"), read_when={"task": ("numbers",)})
    text: str = text("", longest=4000, read_when={"task": ("text",)})
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    learning_rate: float = number(5e-3, 1e-8, 100.0, app=(1e-5, 1.0))
    momentum: float = number(0.9, 0.0, 0.999, read_when={"optimizer": ("sgd",)})
    weight_decay: float = number(0.01, 0.0, 10.0, app=(0.0, 1.0), read_when={"optimizer": ("adamw",)})
    clipping: Literal["norm", "value", "none"] = "norm"
    clip_at: float = number(1.0, 1e-6, 1e6, app=(1e-3, 100.0), read_when={"clipping": ("norm", "value")})
    truncation: int = number(0, 0, 100_000, app=(0, 500))
    steps: int = number(1000, 1, 10_000_000, app=(10, 10_000))
    measurements: int = number(100, 1, 10_000, app=(10, 100))
    samples: int = number(8, 1, 65_536, app=(1, 32))

    def network_settings(self, features: int) -> Settings:
        """Return the settings that build the network.

        Args:
            features: Numbers that it reads per step.
        """
        shared: dict[str, Any] = {name: getattr(self, name) for name in schema(NetworkSettings)}
        return Settings(**shared, input_size=features)


@dataclass(frozen=True, kw_only=True)
class Training(TrainingOptions):
    """One training run: a task, an architecture and how it is trained; frozen, validated and hashable.

    Gate biases are effective biases, as in :class:`lstm_explorer.Settings`. Equal records give equal runs on a machine,
    bit for bit.

    Args:
        architecture: Name of the network's architecture, such as ``"lstm"``.

    Raises:
        TypeError: A value is not of the option's type.
        ValueError: A value is outside the option's limits or choices.

    Example:
        >>> Training(architecture="gru", sequence_length=50).to_query()
        {'sequence_length': '50', 'architecture': 'gru'}
    """

    architecture: str = choice("lstm", tuple(ARCHITECTURES))

    @property
    def name(self) -> str:
        """The title of its architecture, as in legends."""
        return architecture_named(self.architecture).title

    def essential(self) -> Training:
        """Return the training with every option that it does not read at its default: it gives the same run.

        Example:
            >>> Training(architecture="rnn", forget_bias=5.0, horizon=3).essential() == Training(architecture="rnn")
            True
        """
        idle = unread(self.architecture, self) | {"num_seeds"}  # a run has one seed
        return self.replace(**{name: schema(Training)[name].default for name in idle})

    @property
    def measured_at(self) -> tuple[int, ...]:
        """The numbers of optimizer steps after which it is measured: 0, the last, and evenly between."""
        many = min(self.measurements, self.steps)
        return tuple(round(index * self.steps / many) for index in range(many + 1))


@functools.lru_cache(maxsize=256)
def trainings_of(options: TrainingOptions, networks: tuple[str, ...]) -> tuple[Training, ...]:
    """Return the runs of some networks; what a run does not read is at its default.

    Args:
        options: What is trained and how; replica r has the seed ``seed + r``, as far as there are seeds.
        networks: Names of architectures.

    Example:
        >>> [(one.architecture, one.seed) for one in trainings_of(TrainingOptions(num_seeds=2), ("rnn", "gru"))]
        [('rnn', 0), ('rnn', 1), ('gru', 0), ('gru', 1)]
    """
    shared = {name: getattr(options, name) for name in schema(TrainingOptions)}
    return tuple(
        Training(**shared | {"architecture": name, "seed": seed, "num_seeds": 1}).essential()
        for name in networks
        for seed in range(options.seed, min(options.seed + options.num_seeds, 2**31))
    )
