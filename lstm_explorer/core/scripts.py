"""Write a measurement as a short PyTorch program: to learn from, and to check our numbers against."""

from __future__ import annotations

import textwrap
import types
from collections.abc import Mapping
from string import Template

from lstm_explorer.core.inputs.kinds import TableLike
from lstm_explorer.core.inputs.scripts import input_source
from lstm_explorer.core.settings import ARCHITECTURES, Architecture, Settings


def to_script(settings: Settings, *, architecture: Architecture = "lstm", table: TableLike | None = None) -> str:
    r"""Write a program that measures a gradient curve with nothing but PyTorch.

    It builds the same network and inputs, unrolls the cell in Python and carries the gradient of the loss back with
    ``torch.autograd.grad``, one step at a time; it shares no code with :func:`lstm_explorer.seed_flows`. A float32
    network is unrolled in float32, its steps are differentiated in float64. Data is written out in numbers.

    Args:
        settings: The experiment; its ``loss``, ``seed`` and ``num_seeds`` included.
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        table: The rows read when ``input_kind="csv"``, ``(rows, input_size)``.

    Returns:
        The text of a program that needs only ``torch``. It prints one line ``step log10_hidden log10_cell`` for every
        step 0 to T (no cell but for the LSTM): log10 of :math:`\|dL/dh_t\|` and :math:`\|dL/dc_t\|` of the last layer,
        ``-inf`` for an exact zero. Of several replicas or samples it prints the median at each step, as
        :func:`lstm_explorer.core.gradients.summaries.summarise` takes it.

    Raises:
        ValueError: The architecture is none of the three, a replica's seed is past the last one, the table does not
            suit the settings, or there is too much data to be written into a program.

    Example:
        >>> exec(to_script(Settings(hidden_size=4, sequence_length=2), architecture="rnn"))  # doctest: +ELLIPSIS
        0 -...
        1 -...
        2 0.3010299957
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture is {architecture!r}: expected one of {', '.join(map(repr, ARCHITECTURES))}.")
    settings.replace(seed=settings.seed + settings.num_seeds - 1)  # refuses a last replica without a legal seed
    source = input_source(settings, table=table)
    step = "\n" + _filled(_STEPS[architecture], nonlinearity=settings.nonlinearity)
    top = [_header(settings, architecture), _imports(settings), *source.literals, step]
    body = [_network(settings, architecture), source.code]
    body += [_forward(settings, architecture), _backward(settings, architecture)]
    return "\n\n".join([*top, *_measurement(settings, body), _printing(settings, architecture)]) + "\n"


def _header(settings: Settings, architecture: Architecture) -> str:
    """Return what is printed and what it was made from, a line each."""
    columns, norms = "log10_hidden", "||dL/dh_t||"
    if architecture == "lstm":
        columns, norms = f"{columns} log10_cell", f"{norms} and ||dL/dc_t||"
    loss = "h_T" if settings.loss == "last" else "all h_t"
    # The repr of a dict is one line whatever the user's text is: what cannot be printed is escaped in it.
    made = f"to_script(Settings.from_query({settings.to_query()!r}), architecture={architecture!r})"
    return f'# Prints "step {columns}" for every step t: log10 of {norms}, L = sum of {loss}.\n# Made by {made}.'


def _imports(settings: Settings) -> str:
    needs_math = settings.input_kind == "sine" or settings.recurrent_init == "normal"
    double = "\n\ntorch.set_default_dtype(torch.float64)" * (settings.dtype == "float64")
    return "import math\n\n" * needs_math + "import torch" + double


def _network(settings: Settings, architecture: Architecture) -> str:
    """Return the code that builds the network and sets its weights and biases, in the order in which they are drawn."""
    arguments = [str(settings.features), str(settings.hidden_size)]
    arguments += [f"num_layers={settings.num_layers}"] * (settings.num_layers > 1)
    arguments += ['nonlinearity="relu"'] * (architecture == "rnn" and settings.nonlinearity == "relu")
    lines = ["# The network, with the weights that PyTorch draws after this seed. Only states will be differentiated."]
    lines += [f"seed = {settings.seed}"] * (settings.num_seeds == 1)
    lines += ["torch.manual_seed(seed)"]
    lines += [f"network = torch.nn.{architecture.upper()}({', '.join(arguments)}).requires_grad_(False)"]
    layer = "\n".join([*_weights(settings, architecture), *_biases(settings, architecture)])
    names = "weight_ih, weight_hh, bias_ih, bias_hh"
    if settings.num_layers == 1:
        return "\n".join([*lines, f"{names} = network.all_weights[0]", layer])
    return "\n".join([*lines, f"for {names} in network.all_weights:", textwrap.indent(layer, "    ")])


def _weights(settings: Settings, architecture: Architecture) -> list[str]:
    """Return the lines that draw a layer's weights anew, and scale them."""
    draw, blocks = (
        _DRAWS.get(settings.recurrent_init, ""),
        len(_GATES[architecture]) or 1,
    )  # the RNN's only block is no gate
    lines = _filled(draw, size=settings.hidden_size, blocks=blocks).splitlines()
    return lines + [f"weight_hh *= {settings.recurrent_gain!r}"] * (settings.recurrent_gain != 1)


def _biases(settings: Settings, architecture: Architecture) -> list[str]:
    """Return the lines that write a layer's effective biases."""
    gates = _GATES[architecture]
    if not gates:
        return ["bias_ih.zero_()", "bias_hh.zero_()"]
    chrono = settings.recurrent_init == "chrono"
    drawn = {"forget": "keep", "input": "-keep", "update": "keep"} if chrono else {}
    values = ", ".join(drawn.get(gate, repr(getattr(settings, f"{gate}_bias"))) for gate in gates)
    code = _CHRONO * chrono + _VALUES + (_SPLIT_BIASES if settings.split_biases else _BIASES)
    code += _WHOLE_CANDIDATE * (settings.split_biases and architecture == "gru")
    sizes = {"size": settings.hidden_size, "most": settings.chrono_max - 1, "gates": len(gates)}
    return _filled(code, values=values, letters=" ".join(gates.values()), **sizes).splitlines()


def _forward(settings: Settings, architecture: Architecture) -> str:
    zeros = f"torch.zeros({settings.batch_size}, {settings.hidden_size})"
    zeros, state = (f"({zeros}, {zeros})", "h, c") if architecture == "lstm" else (zeros, "h")
    return _filled(_FORWARD if settings.num_layers == 1 else _FORWARD_LAYERS, zeros=zeros, state=state)


def _backward(settings: Settings, architecture: Architecture) -> str:
    loop, states = _BACK_HIDDEN, "h.double() for h in states"
    if architecture == "lstm":
        loop, states = _BACK_LSTM, "(h.double(), c.double()) for h, c in states"
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


def _printing(settings: Settings, architecture: Architecture) -> str:
    row, columns = "hidden", "{hidden:.10f}"
    if architecture == "lstm":
        row, columns = "(hidden, cell)", f"{columns} {{cell:.10f}}"
    runs = settings.num_seeds * settings.batch_size
    # Of the middle two of an even number of runs, NumPy's "nearest" takes the one of even index, as round does.
    return _filled((_ONLY if runs == 1 else _MEDIAN) + _PRINT, rank=round((runs - 1) / 2), row=row, columns=columns)


def _filled(code: str, **values: object) -> str:
    """Return a part of the program with its ``$names`` filled in."""
    return Template(code).substitute(values)


#: Setting -> letter of each gate, in PyTorch's order.
_GATES: Mapping[str, Mapping[str, str]] = types.MappingProxyType(
    {
        "rnn": {},
        "lstm": {"input": "i", "forget": "f", "candidate": "g", "output": "o"},
        "gru": {"reset": "r", "update": "z", "candidate": "n"},
    }
)

_STEPS: Mapping[str, str] = types.MappingProxyType(
    {
        "rnn": '''\
def step(weights, h, x):
    """Advance the RNN one step: h before -> h after."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    return torch.$nonlinearity(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)''',
        "lstm": '''\
def step(weights, state, x):
    """Advance the LSTM one step: (h, c) before -> (h, c) after."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    h, c = state
    i, f, g, o = (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(4, dim=1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = f * c + i * g
    return o * torch.tanh(c), c''',
        "gru": '''\
def step(weights, h, x):
    """Advance the GRU one step: h before -> h after."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    input_r, input_z, input_n = (x @ weight_ih.T + bias_ih).chunk(3, dim=1)
    hidden_r, hidden_z, hidden_n = (h @ weight_hh.T + bias_hh).chunk(3, dim=1)
    r = torch.sigmoid(input_r + hidden_r)
    z = torch.sigmoid(input_z + hidden_z)
    n = torch.tanh(input_n + r * hidden_n)
    return (1 - z) * n + z * h''',
    }
)

_DRAWS: Mapping[str, str] = types.MappingProxyType(
    {
        "keras": """\
torch.nn.init.xavier_uniform_(weight_ih)  # as Keras does, over all gates at once
torch.nn.init.orthogonal_(weight_hh)""",
        "orthogonal": """\
for block in weight_hh.split($size):  # one gate after another
    torch.nn.init.orthogonal_(block)""",
        "identity": "weight_hh[:] = torch.eye($size).repeat($blocks, 1)",
        "normal": "weight_hh.normal_(0, 1 / math.sqrt($size))",
    }
)

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

#: The GRU's candidate has its second bias inside the reset product: half of it there is another network.
_WHOLE_CANDIDATE = """\
# But n has all of it in the first: its second bias is multiplied by the reset gate, which is something else.
bias_ih.chunk($gates)[2][:] = biases[2]
bias_hh.chunk($gates)[2][:] = 0.0
"""

_FORWARD = """\
# Forward: every state, from step 0 (zeros) to the last.
weights = network.all_weights[0]
states = [$zeros]
for x in inputs:
    states.append(step(weights, states[-1], x))"""

_FORWARD_LAYERS = """\
# Forward: every state, from step 0 (zeros) to the last. A layer reads the hidden states of the layer below. Only
# the last layer's states are differentiated: they reach the loss without passing through another layer.
outputs = inputs
for weights in network.all_weights:
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

_BACK_LSTM = """\
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
