"""The view of the page Your network: which network is looked at, what it reads, and what it is to remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.record import choice, number, text
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.view import View
from lstm_explorer.runs.training.gallery import WITH_WEIGHTS


@dataclass(frozen=True, kw_only=True)
class YourNetworkView(View):
    """What is diagnosed on the page.

    Args:
        origin: Whether the network is one that the app trained, or comes from a file of the reader's.
        preset: Which of the app's trainings.
        inside: Which network of it.
        file: What tells one file from others; an address cannot carry the file itself.
        module: Name of the network in the file; the first where it is empty.
        data: What it reads: noise, the held-out data of its training, a text, or the reader's table.
        text: The text.
        standardised: Whether the table's columns are brought to mean 0 and standard deviation 1; else they are read as
            they are.
        sequence_length: Steps that it reads.
        samples: Samples that it reads.
        input_scale: Scale of the noise and the text.
        seed: Of the noise.
        needs_lag: How many steps back it is to remember.
        share: Which share of the gradient is to arrive there.
        layer: Which layer and direction is drawn, counted as PyTorch counts; -1 is the last.
    """

    own_settings: ClassVar[bool] = True

    origin: Literal["trained", "file"] = "trained"
    preset: str = choice("gated", WITH_WEIGHTS)
    inside: str = choice("lstm", tuple(ARCHITECTURES))
    file: str = text("", longest=16)
    module: str = text("", longest=200)
    data: Literal["noise", "task", "text", "csv"] = "noise"
    text: str = text(Settings().text, longest=2000)
    standardised: bool = False
    sequence_length: int = number(200, 1, 100_000, app=(2, 2000))
    samples: int = number(4, 1, 4096, app=(1, 64))
    input_scale: float = number(1.0, 0.0, 1000.0, app=(0.0, 10.0))
    seed: int = number(0, 0, 2**31 - 1)
    needs_lag: int = number(100, 1, 100_000, app=(1, 2000))
    share: float = number(0.01, 1e-6, 1.0)
    layer: int = number(-1, -1, 127)
