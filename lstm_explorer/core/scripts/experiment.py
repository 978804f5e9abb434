"""Write a measurement as a short PyTorch program: to learn from, and to check our numbers against."""

from __future__ import annotations

import textwrap

from lstm_explorer.core.architectures import Architecture, architecture_named
from lstm_explorer.core.inputs import TableLike, input_source
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.scripts.network import filled, needs_math, network_code, step_code
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
    step = "\n" + step_code(settings, record)
    top = [_header(settings, record), _imports(settings, record), *source.literals, step]
    one_seed = settings.seed if settings.num_seeds == 1 else None
    network = network_code(settings, record, seed=one_seed)
    body = [network, source.code, _forward(settings, record), _backward(settings, record)]
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
    double = "\n\ntorch.set_default_dtype(torch.float64)" * (settings.dtype == "float64")
    return "import math\n\n" * needs_math(settings, record) + "import torch" + double


def _forward(settings: Settings, record: Architecture) -> str:
    zeros = f"torch.zeros({settings.batch_size}, {settings.hidden_size})"
    letters = ", ".join(state.letter for state in record.states)
    if len(record.states) > 1:
        zeros = f"({', '.join([zeros] * len(record.states))})"
    return filled(_FORWARD if settings.num_layers == 1 else _FORWARD_LAYERS, zeros=zeros, state=letters)


def _backward(settings: Settings, record: Architecture) -> str:
    loop, states = _BACK_HIDDEN, "h.double() for h in states"
    if len(record.states) == 2:
        loop, states = _BACK_TWO_STATES, "(h.double(), c.double()) for h, c in states"
    to_double = filled(_TO_DOUBLE, states=states) if settings.dtype == "float32" else ""
    return to_double + _BACK + filled(loop, every=_EVERY if settings.loss == "every" else "")


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
    return filled((_ONLY if runs == 1 else _MEDIAN) + _PRINT, rank=round((runs - 1) / 2), row=row, columns=columns)


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
