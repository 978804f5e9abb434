"""Well-known trainings, in the order in which they tell the story."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, NamedTuple

from lstm_explorer.locales import N_


class Preset(NamedTuple):
    """A training by name.

    Attributes:
        title: Marked for translation; so is ``note``.
        changes: The options that are not at their defaults.
        networks: Which networks are trained.
        note: What to look at.
    """

    title: str
    changes: Mapping[str, Any]
    networks: tuple[str, ...]
    note: str


_EVERYBODY = ("rnn", "lstm", "gru")
#: A plain RNN that starts by keeping all: ReLU and the identity as recurrent weights (Le, Jaitly and Hinton 2015). Adam
#: divides by the size of the gradient, and hides the explosion.
_IDENTITY = {
    "sequence_length": 20, "nonlinearity": "relu", "recurrent_init": "identity", "optimizer": "sgd",
    "learning_rate": 0.02, "steps": 1500,
}  # fmt: skip

_DIGITS = {"task": "digits", "learning_rate": 3e-3, "steps": 600}

#: Code -> preset.
PRESETS: Mapping[str, Preset] = types.MappingProxyType(
    {
        "both": Preset(
            N_("10 steps: all learn"),
            {"sequence_length": 10, "steps": 600},
            _EVERYBODY,
            N_("Over ten steps enough of the gradient arrives in the plain RNN too."),
        ),
        "gated": Preset(
            N_("80 steps: only the gated learn"),
            {},
            _EVERYBODY,
            N_("Look at a map where its loss falls: the gradient arrives, and then the network learns."),
        ),
        "bias": Preset(
            N_("A larger forget bias"),
            {"forget_bias": 3.0},
            ("lstm",),
            N_(
                "The forget bias is 3: at first nearly all of the gradient arrives. Training closes that way again "
                "before it opens it for good. Compare the step at which the LSTM with bias 0 learns."
            ),
        ),
        "long": Preset(
            N_("400 steps: the GRU alone"),
            {"sequence_length": 400, "steps": 600},
            _EVERYBODY,
            N_(
                "Of a gradient of 10⁻⁷⁷ the LSTM learns nothing, and the RNN no more. The GRU starts as low, opens its "
                "way little by little, and learns."
            ),
        ),
        "explodes": Preset(
            N_("An RNN explodes"),
            {**_IDENTITY, "clipping": "none"},
            ("rnn",),
            N_(
                "A plain RNN with ReLU and the identity as its recurrent weights, without clipping: its loss leaps, "
                "then no unit answers any more, and no gradient arrives anywhere."
            ),
        ),
        "clipped": Preset(
            N_("The same, clipped"),
            _IDENTITY,
            ("rnn",),
            N_("The same network, its gradient clipped by norm to 1, learns: no other change."),
        ),
        "truncated": Preset(
            N_("Truncated at 10: blind beyond"),
            {"task": "order", "sequence_length": 30, "truncation": 10, "steps": 600},
            ("lstm", "gru"),
            N_(
                "The states are detached every 10 steps, and what counts lies further back: no gradient arrives there. "
                "Set the truncation to 0, and both learn within 200 steps. The adding problem is learnt even so: what "
                "its last steps teach holds at every step, since the weights are the same."
            ),
        ),
        "digits": Preset(
            N_("Handwriting, pixel by pixel"),
            _DIGITS,
            _EVERYBODY,
            N_("Over 64 pixels the plain RNN is not far behind, and all three learn."),
        ),
        "blanks": Preset(
            N_("Then 20 blank steps"),
            {**_DIGITS, "blank_steps": 20},
            _EVERYBODY,
            N_("The same digits, then 20 blank steps before the answer: now only the GRU reads them."),
        ),
        "vowels": Preset(
            N_("Speech: who spoke?"),
            {"task": "vowels", "learning_rate": 3e-3, "steps": 300},
            _EVERYBODY,
            N_("Short vowels, 7 to 29 steps long: where the past is near, the plain RNN learns as fast as the others."),
        ),
    }
)
