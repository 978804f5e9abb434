"""The code that builds an experiment's network, and its parts filled in: shared by all programs."""

from __future__ import annotations

import textwrap
import types
from collections.abc import Mapping
from string import Template

from lstm_explorer.core.architectures import Architecture
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings


def network_code(settings: Settings, record: Architecture, *, seed: int | None = None, trained: bool = False) -> str:
    """Return the code that builds the network and sets its weights and biases, in the order in which they are drawn.

    Args:
        settings: The experiment.
        record: Its architecture.
        seed: Is written into the code; None where a variable ``seed`` is there already.
        trained: Whether its weights are to be differentiated too, by the code that comes after it.
    """
    only = "" if trained else " Only states will be differentiated."
    lines = [f"# The network, with the weights that PyTorch draws after this seed.{only}"]
    lines += [f"seed = {seed}"] * (seed is not None)
    lines += ["torch.manual_seed(seed)", *(_torch_module if record.fused else _own_module)(settings, record)]
    layer = "\n".join([*_weights(settings, record), *_biases(settings, record)])
    names = _names(record)
    if settings.num_layers == 1:
        return "\n".join([*lines, f"{names} = layers[0]", layer])
    return "\n".join([*lines, f"for {names} in layers:", textwrap.indent(layer, "    ")])


def _names(record: Architecture) -> str:
    return "weight_ih, weight_hh, bias_ih, bias_hh" if record.recurrent else "weight_ih, bias_ih"


def _torch_module(settings: Settings, record: Architecture) -> list[str]:
    arguments = [str(settings.features), str(settings.hidden_size)]
    arguments += [f"num_layers={settings.num_layers}"] * (settings.num_layers > 1)
    for name in record.options:
        if getattr(settings, name) != schema(Settings)[name].default:
            arguments.append(f'{name}="{getattr(settings, name)}"')
    made = f"network = torch.nn.{record.title}({', '.join(arguments)}).requires_grad_(False)"
    return [made, "layers = network.all_weights"]


def _own_module(settings: Settings, record: Architecture) -> list[str]:
    """Return the lines that draw the weights of a network that PyTorch does not have."""
    sizes = [settings.features, *[settings.hidden_size] * (settings.num_layers - 1)]
    size, rows = settings.hidden_size, len(record.blocks) * settings.hidden_size
    shapes = [f"({rows}, features)", f"({rows}, {size})", f"({rows},)", f"({rows},)"]
    shapes = shapes if record.recurrent else shapes[::2]
    return filled(_OWN, sizes=sizes, shapes=", ".join(shapes), size=size).splitlines()


def _weights(settings: Settings, record: Architecture) -> list[str]:
    """Return the lines that draw a layer's weights anew, and scale them."""
    draws = _DRAWS.get(settings.recurrent_init, {})
    code = "\n".join(draw for name, draw in draws.items() if name == "ih" or record.recurrent)
    lines = filled(code, size=settings.hidden_size, blocks=len(record.blocks)).splitlines()
    return lines + [f"weight_hh *= {settings.recurrent_gain!r}"] * (record.recurrent and settings.recurrent_gain != 1)


def _biases(settings: Settings, record: Architecture) -> list[str]:
    """Return the lines that write a layer's effective biases."""
    if not record.gates:
        return ["bias_ih.zero_()", "bias_hh.zero_()"]
    chrono = settings.recurrent_init == "chrono"
    drawn = {gate.name: {1: "keep", -1: "-keep"}[gate.chrono] for gate in record.gates if chrono and gate.chrono}
    biases = (drawn.get(gate.name, repr(getattr(settings, f"{gate.name}_bias"))) for gate in record.gates)
    split = settings.split_biases and record.recurrent
    code = _CHRONO * chrono + _VALUES
    code += _SPLIT_BIASES if split else (_BIASES if record.recurrent else _ONLY_BIASES)
    for row, gate in enumerate(record.gates):
        code += filled(_WHOLE, letter=gate.letter, row=row, gates="$gates") * (split and not gate.split)
    letters = " ".join(gate.letter for gate in record.gates)
    sizes = {"size": settings.hidden_size, "most": settings.chrono_max - 1, "gates": len(record.gates)}
    return filled(code, values=", ".join(biases), letters=letters, **sizes).splitlines()


def step_code(settings: Settings, record: Architecture) -> str:
    """Return the function of one step, under the name ``step``."""
    return filled(record.script_step, **{name: getattr(settings, name) for name in record.options})


def needs_math(settings: Settings, record: Architecture) -> bool:
    """Tell whether the network or its inputs are made with the module ``math``."""
    return settings.input_kind == "sine" or settings.recurrent_init == "normal" or not record.fused


def filled(code: str, **values: object) -> str:
    """Return a part of the program with its ``$names`` filled in."""
    return Template(code).substitute(values)


#: Initialisation -> which weights it draws anew, and how.
_DRAWS: Mapping[str, Mapping[str, str]] = types.MappingProxyType(
    {
        "keras": {
            "ih": "torch.nn.init.xavier_uniform_(weight_ih)  # as Keras does, over all gates at once",
            "hh": "torch.nn.init.orthogonal_(weight_hh)",
        },
        "orthogonal": {
            "hh": """\
for block in weight_hh.split($size):  # one gate after another
    torch.nn.init.orthogonal_(block)""",
        },
        "identity": {"hh": "weight_hh[:] = torch.eye($size).repeat($blocks, 1)"},
        "normal": {"hh": "weight_hh.normal_(0, 1 / math.sqrt($size))"},
    }
)

_OWN = """\
bound, layers = 1 / math.sqrt($size), []
for features in $sizes:
    layers.append([torch.empty(shape).uniform_(-bound, bound) for shape in [$shapes]])
"""

_CHRONO = """\
# Chrono initialisation: units that remember for 1 to $most steps, spread evenly.
keep = torch.empty($size).uniform_(1, $most).log_()
"""

_VALUES = """\
biases = [$values]  # $letters
"""

_BIASES = """\
# PyTorch adds two bias vectors: the gate biases go to the first, and the second is zero.
for gate, bias in zip(bias_ih.chunk($gates), biases):
    gate[:] = bias
bias_hh.zero_()
"""

_SPLIT_BIASES = """\
# PyTorch adds two bias vectors: half of each gate bias goes to each.
for first, second, bias in zip(bias_ih.chunk($gates), bias_hh.chunk($gates), biases):
    first[:] = second[:] = bias / 2
"""

_ONLY_BIASES = """\
for gate, bias in zip(bias_ih.chunk($gates), biases):
    gate[:] = bias
"""

#: Of a gate inside a reset product half of the bias in the second vector is another network.
_WHOLE = """\
# But $letter has all of it in the first: its second bias is multiplied by the reset gate, which is something else.
bias_ih.chunk($gates)[$row][:] = biases[$row]
bias_hh.chunk($gates)[$row][:] = 0.0
"""
