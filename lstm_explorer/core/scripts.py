"""Write a measurement as a short PyTorch program: to learn from, and to check our numbers against."""

from __future__ import annotations

import textwrap
import types
from collections.abc import Mapping
from string import Template

from lstm_explorer.core.architectures import Architecture, architecture_named
from lstm_explorer.core.inputs import TableLike, input_source
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings


@checks_kinds
def to_script(settings: Settings, *, architecture: str = "lstm", table: TableLike | None = None) -> str:
    r"""Write a program that measures a gradient curve with nothing but PyTorch.

    It builds the same network and inputs, unrolls the cell in Python and carries the gradient of the loss back with
    ``torch.autograd.grad``, one step at a time; it shares no code with :func:`lstm_explorer.seed_flows`. A float32
    network is unrolled in float32, its steps are differentiated in float64. Data is written out in numbers.

    Args:
        settings: The experiment; its ``loss``, ``seed`` and ``num_seeds`` included.
        architecture: Name of an architecture, such as ``"lstm"``.
        table: The rows read when ``input_kind="csv"``, ``(rows, input_size)``.

    Returns:
        The text of a program that needs only ``torch``. It prints one line ``step log10_hidden log10_cell`` for every
        step 0 to T (no cell where there is none): log10 of :math:`\|dL/dh_t\|` and :math:`\|dL/dc_t\|` of the last
        layer, ``-inf`` for an exact zero. Of several replicas or samples it prints the median at each step, as
        :func:`lstm_explorer.summarise` takes it.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such architecture, a replica's seed is past the last one, the table does not
            suit the settings, or there is too much data to be written into a program.

    Example:
        >>> exec(to_script(Settings(hidden_size=4, sequence_length=2), architecture="rnn"))  # doctest: +ELLIPSIS
        0 -...
        1 -...
        2 0.3010299957
    """
    record = architecture_named(architecture)
    settings.replace(seed=settings.seed + settings.num_seeds - 1)  # refuses a last replica without a legal seed
    source = input_source(settings, table=table)
    step = "\n" + _filled(record.script_step, **{name: getattr(settings, name) for name in record.options})
    top = [_header(settings, record), _imports(settings, record), *source.literals, step]
    body = [_network(settings, record), source.code, _forward(settings, record), _backward(settings, record)]
    return "\n\n".join([*top, *_measurement(settings, body), _printing(settings, record)]) + "\n"


def _header(settings: Settings, record: Architecture) -> str:
    """Return what is printed and what it was made from, a line each."""
    columns = " ".join(f"log10_{state.name}" for state in record.states)
    norms = " and ".join(f"||dL/d{state.letter}_t||" for state in record.states)
    loss = "h_T" if settings.loss == "last" else "all h_t"
    # The repr of a dict is one line whatever the user's text is: what cannot be printed is escaped in it.
    made = f"to_script(Settings.from_query({settings.to_query()!r}), architecture={record.name!r})"
    return f'# Prints "step {columns}" for every step t: log10 of {norms}, L = sum of {loss}.\n# Made by {made}.'


def _imports(settings: Settings, record: Architecture) -> str:
    needs_math = settings.input_kind == "sine" or settings.recurrent_init == "normal" or not record.fused
    double = "\n\ntorch.set_default_dtype(torch.float64)" * (settings.dtype == "float64")
    return "import math\n\n" * needs_math + "import torch" + double


def _network(settings: Settings, record: Architecture) -> str:
    """Return the code that builds the network and sets its weights and biases, in the order in which they are drawn."""
    lines = ["# The network, with the weights that PyTorch draws after this seed. Only states will be differentiated."]
    lines += [f"seed = {settings.seed}"] * (settings.num_seeds == 1)
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
    return _filled(_OWN, sizes=sizes, shapes=", ".join(shapes), size=size).splitlines()


def _weights(settings: Settings, record: Architecture) -> list[str]:
    """Return the lines that draw a layer's weights anew, and scale them."""
    draws = _DRAWS.get(settings.recurrent_init, {})
    code = "\n".join(draw for name, draw in draws.items() if name == "ih" or record.recurrent)
    lines = _filled(code, size=settings.hidden_size, blocks=len(record.blocks)).splitlines()
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
        code += _filled(_WHOLE, letter=gate.letter, row=row, gates="$gates") * (split and not gate.split)
    letters = " ".join(gate.letter for gate in record.gates)
    sizes = {"size": settings.hidden_size, "most": settings.chrono_max - 1, "gates": len(record.gates)}
    return _filled(code, values=", ".join(biases), letters=letters, **sizes).splitlines()


def _forward(settings: Settings, record: Architecture) -> str:
    zeros = f"torch.zeros({settings.batch_size}, {settings.hidden_size})"
    letters = ", ".join(state.letter for state in record.states)
    if len(record.states) > 1:
        zeros = f"({', '.join([zeros] * len(record.states))})"
    return _filled(_FORWARD if settings.num_layers == 1 else _FORWARD_LAYERS, zeros=zeros, state=letters)


def _backward(settings: Settings, record: Architecture) -> str:
    loop, states = _BACK_HIDDEN, "h.double() for h in states"
    if len(record.states) == 2:
        loop, states = _BACK_TWO_STATES, "(h.double(), c.double()) for h, c in states"
    to_double = _filled(_TO_DOUBLE, states=states) if settings.dtype == "float32" else ""
    return to_double + _BACK + _filled(loop, every=_EVERY if settings.loss == "every" else "")


def _measurement(settings: Settings, body: list[str]) -> list[str]:
    """Return the parts of the body as they are or, for several replicas, as a function of the seed."""
    joined = "torch.stack(norms[::-1])  # the first step first"
    if settings.num_seeds == 1:
        return ["\n" + body[0], *body[1:-1], f"{body[-1]}\nnorms = {joined}"]
    inner = "\n\n".join([*body[:-1], f"{body[-1]}\nreturn {joined}"])
    seeds = f"range({settings.seed}, {settings.seed + settings.num_seeds})"
    runs = f"norms = torch.cat([measure(seed) for seed in {seeds}], dim=-1)"
    return ["\ndef measure(seed):\n" + textwrap.indent(inner, "    "), "\n" + runs]


def _printing(settings: Settings, record: Architecture) -> str:
    names = [state.name for state in record.states]
    row = f"({', '.join(names)})" if len(names) > 1 else names[0]
    columns = " ".join(f"{{{name}:.10f}}" for name in names)
    runs = settings.num_seeds * settings.batch_size
    # Of the middle two of an even number of runs, NumPy's "nearest" takes the one of even index, as round does.
    return _filled((_ONLY if runs == 1 else _MEDIAN) + _PRINT, rank=round((runs - 1) / 2), row=row, columns=columns)


def _filled(code: str, **values: object) -> str:
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

_FORWARD = """\
# Forward: every state, from step 0 (zeros) to the last.
weights = layers[0]
states = [$zeros]
for x in inputs:
    states.append(step(weights, states[-1], x))"""

_FORWARD_LAYERS = """\
# Forward: every state, from step 0 (zeros) to the last. A layer reads the hidden states of the layer below. Only
# the last layer's states are differentiated: they reach the loss without passing through another layer.
outputs = inputs
for weights in layers:
    inputs, states = outputs, [$zeros]
    for x in inputs:
        states.append(step(weights, states[-1], x))
    outputs = torch.stack([h for $state in states[1:]])"""

_TO_DOUBLE = """\
# The states are those of the float32 network. Their derivatives are taken in float64: float32 has few digits for
# the slope f (1 - f) of a gate that is nearly open.
weights, inputs = [weight.double() for weight in weights], inputs.double()
states = [$states]

"""

_BACK = """\
# Backward, one step at a time: a vector, the gradient at step t, times the derivative of that one step. A single
# call for all steps ends in 0 or infinity where the gradient leaves the range of a float, and 10^-1740 is nothing
# unusual here. So the vector is divided by its largest element at every step, and log10 of all that was divided out
# is kept beside it.
"""

_BACK_HIDDEN = """\
dh, log10_scale, norms = torch.ones_like(states[-1]), 0.0, []
for t in range(len(inputs), 0, -1):
    scale = dh.abs().amax(dim=1, keepdim=True)  # one for each sample
    scale[scale == 0] = 1.0  # a gradient of exactly zero stays zero
    dh, log10_scale = dh / scale, log10_scale + scale[:, 0].log10()
    norms.append(dh.norm(dim=1).log10() + log10_scale)
    h = states[t - 1].requires_grad_()
    (dh,) = torch.autograd.grad(step(weights, h, inputs[t - 1]), h, dh)$every
norms.append(dh.norm(dim=1).log10() + log10_scale)"""

_BACK_TWO_STATES = """\
h, c = states[-1]
dh, dc, log10_scale, norms = torch.ones_like(h), torch.zeros_like(c), 0.0, []
for t in range(len(inputs), 0, -1):
    scale = torch.maximum(dh.abs(), dc.abs()).amax(dim=1, keepdim=True)  # one for each sample
    scale[scale == 0] = 1.0  # a gradient of exactly zero stays zero
    dh_t, dc, log10_scale = dh / scale, dc / scale, log10_scale + scale[:, 0].log10()
    h, c = (state.requires_grad_() for state in states[t - 1])
    h_t, c_t = step(weights, (h, c), inputs[t - 1])
    # c_t reaches the loss by c_{t+1}, which is dc so far, and by h_t: autograd adds both up in dc_t.
    dh, dc, dc_t = torch.autograd.grad((h_t, c_t), (h, c, c_t), (dh_t, dc))$every
    norms.append(torch.stack([dh_t, dc_t]).norm(dim=-1).log10() + log10_scale)
norms.append(torch.stack([dh, dc]).norm(dim=-1).log10() + log10_scale)"""

_EVERY = """
    if t > 1:
        dh = dh + 10 ** -log10_scale[:, None]  # the loss holds h_{t-1} too: 1, divided by what dh was divided by"""

_ONLY = "norms = norms[..., 0]  # of the only sample\n"

_MEDIAN = """\
# The median over samples and seeds: always one of them, as the mean of a number and -inf would say nothing.
norms = norms.sort(dim=-1).values[..., $rank]
"""

_PRINT = """\
for t, $row in enumerate(norms.tolist()):
    print(f"{t} $columns")"""
