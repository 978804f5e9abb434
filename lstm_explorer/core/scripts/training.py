"""Write a training run as a short PyTorch program that trains the same network on the same batches."""

from __future__ import annotations

import base64
import inspect
import re
import textwrap
import types
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Architecture, architecture_named
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.scripts.network import filled, network_code, step_code
from lstm_explorer.core.training.model import decoder_seed
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Recipe, Task
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import OPTIMIZERS
from lstm_explorer.locales import N_

#: A longer program is a file of data.
MOST_CHARACTERS = 1_000_000


@checks_kinds
def to_training_script(training: Training, *, table: TableLike | None = None) -> str:
    r"""Write a program that trains a network with nothing but PyTorch.

    It builds the same network, draws the same batches and does the same updates as :func:`lstm_explorer.train`, by the
    loop that one writes by hand; the functions that make the batches stand in it as they stand here. Data is written
    into it, compressed.

    Args:
        training: What is trained, and how; of several seeds the first.
        table: The rows read when ``task="csv"``, as for :func:`lstm_explorer.train`.

    Returns:
        The text of a program that needs only ``torch``. It prints one line ``step loss`` for every optimizer step: the
        training loss before its update. It ends where the loss leaves the float range.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The table does not suit the task, or there is too much data to be written into a program.

    Example:
        >>> exec(to_training_script(Training(sequence_length=4, hidden_size=3, steps=2)))  # doctest: +ELLIPSIS
        0 ...
        1 ...
    """
    task = TASKS[training.task]
    problem = task.posed(training, table)
    record = architecture_named(training.architecture)
    batches = _Batches(cast(Recipe, problem.batch))
    body = [batches.code, _networks(training, problem, record), _loop(training, task, problem, record)]
    code = "\n\n".join([*batches.functions, *_own_step(training, problem, record), *body])
    script = "\n\n".join([_header(training), _imports(code), code]) + "\n"
    if len(script) > MOST_CHARACTERS:
        raise ExplainedError(
            N_(
                "The program would have {characters} characters, most of them data: expected at most {most}. Shorten "
                "the sequence, or take a smaller table or text."
            ),
            {"characters": len(script), "most": MOST_CHARACTERS},
        )
    return script


def _header(training: Training) -> str:
    # The repr of a dict is one line whatever the reader's text is: what cannot be printed is escaped in it.
    made = f"to_training_script(Training.from_query({training.to_query()!r}))"
    return (
        '# Prints "step loss" for every optimizer step: the training loss before its update.\n'
        f"# Made by {made}.\nfrom __future__ import annotations"
    )


#: Names that the functions use -> where they come from.
_ORIGINS: Mapping[str, str] = types.MappingProxyType(
    {
        "base64": "import base64", "math": "import math", "zlib": "import zlib",
        "Callable": "from collections.abc import Callable", "Any": "from typing import Any",
        "NamedTuple": "from typing import NamedTuple", "torch": "import torch",
        "Generator": "from torch import Generator", "Tensor": "from torch import Tensor", "nn": "from torch import nn",
    }
)  # fmt: skip


def _imports(code: str) -> str:
    needed = {name: line for name, line in _ORIGINS.items() if re.search(rf"(?<![\w.]){name}\b", code)}
    torch_s = [name for name, line in needed.items() if line.startswith("from torch ")]
    lines = [line for name, line in needed.items() if name not in ("torch", *torch_s)]
    return "\n".join([*lines, "", "import torch", *([f"from torch import {', '.join(torch_s)}"] if torch_s else [])])


class _Batches:
    """A recipe as code: the functions it needs, its data, and the function ``batch`` of a step."""

    def __init__(self, recipe: Recipe) -> None:
        self._sources: dict[str, str] = {}
        self._data: list[str] = []
        self._add(Batch)
        self._add(recipe.function)
        arguments = ", ".join(self._written(argument) for argument in recipe.arguments)
        call = f"def batch(step):\n    return {recipe.function.__name__}({arguments}, {recipe.seed}, step)"
        self.functions = ["\n" + source.strip() for source in self._sources.values()]
        self.code = "\n\n".join([*([_UNPACK.strip(), *self._data] if self._data else []), "\n" + call])

    def _add(self, thing: Any) -> None:
        """Take in a function or a class, after the functions and classes of ours that it calls."""
        if thing.__name__ in self._sources:
            return
        if inspect.isfunction(thing):
            for used in inspect.getclosurevars(thing).globals.values():
                if getattr(used, "__module__", "").startswith("lstm_explorer"):
                    self._add(used)
        self._sources[thing.__name__] = inspect.getsource(thing)

    def _written(self, argument: Any) -> str:
        if isinstance(argument, Batch):
            return f"Batch({', '.join(self._written(part) for part in argument)})"
        if isinstance(argument, Tensor):
            name = f"data_{len(self._data)}"
            self._data.append(f"{name} = {_packed(argument)}")
            return name
        if callable(argument):
            self._add(argument)
            return str(argument.__name__)
        return repr(argument)


_UNPACK = '''
def unpacked(text, dtype, *shape):
    """Return a tensor that was written as compressed text."""
    return torch.frombuffer(bytearray(zlib.decompress(base64.b64decode(text))), dtype=dtype).reshape(shape)
'''


def _packed(tensor: Tensor) -> str:
    """Return code that makes a tensor: float32 as it is, whole numbers as small as they are."""
    kept = tensor
    if not tensor.is_floating_point():
        small = int(tensor.min()) >= 0 and int(tensor.max()) < 256
        kept = tensor.to(torch.uint8 if small else torch.int32)
    text = base64.b64encode(zlib.compress(kept.contiguous().numpy().tobytes(), 9)).decode()
    wide = "\n".join(textwrap.wrap(text, 116))
    cast = "" if kept.dtype == tensor.dtype else f".to({tensor.dtype})"
    shape = "".join(f", {size}" for size in tensor.shape)
    return f'unpacked(\n    """\n{wide}\n""",\n    {kept.dtype}{shape},\n){cast}'


def _networks(training: Training, problem: Problem, record: Architecture) -> str:
    """Return the code of the network, or of encoder and decoder, of the linear layer, and of all parameters."""
    settings = training.network_settings(problem.features)
    seeds = {"network": training.seed}
    if problem.source_steps:
        seeds = {"encoder": training.seed, "decoder": decoder_seed(training.seed)}
    made, parameters = [], []
    for name, seed in seeds.items():
        code = network_code(settings, record, seed=seed, trained=True)
        made.append(code + "\n" + filled(_TORCH_NETWORK if record.fused else _OWN_NETWORK, name=name))
        parameters.append(f"*{name}_weights")
    double = training.dtype == "float64"
    before, after = ("torch.set_default_dtype(torch.float64)", "torch.set_default_dtype(torch.float32)")
    head = filled(_HEAD, size=training.hidden_size, outputs=problem.outputs, seed=2**31 + training.seed)
    listed = f"parameters = [{', '.join(parameters)}, *head.parameters()]"
    return "\n" + "\n\n".join([*([before] * double), *made, head + listed, *([after] * double)])


_TORCH_NETWORK = "${name}_weights = list(network.requires_grad_().parameters())" + "\n${name} = network"
_OWN_NETWORK = """\
${name}_weights = [weight.requires_grad_() for weights in layers for weight in weights]
${name} = over(layers)"""

_OVER = '''
def over(layers):
    """Return the network of these layers: inputs and states before -> hidden states of the last layer, states after."""

    def network(inputs, states=None):
        last = []
        for index, weights in enumerate(layers):
            h, outputs = inputs.new_zeros(inputs.shape[1], $size) if states is None else states[index], []
            for x in inputs:
                h = step(weights, h, x)
                outputs.append(h)
            inputs = torch.stack(outputs)
            last.append(h)
        return inputs, torch.stack(last)

    return network'''

_HEAD = """\
# The linear layer that makes answers of hidden states.
head = nn.Linear($size, $outputs)
generator, bound = torch.Generator().manual_seed($seed), 1 / math.sqrt($size)
with torch.no_grad():
    for parameter in head.parameters():
        parameter.uniform_(-bound, bound, generator=generator)
"""


def _own_step(training: Training, problem: Problem, record: Architecture) -> Iterable[str]:
    """Return the functions of a network that PyTorch does not have."""
    if record.fused:
        return []
    step = step_code(training.network_settings(problem.features), record)
    return ["\n" + step, filled(_OVER, size=training.hidden_size)]


def _loop(training: Training, task: Task, problem: Problem, record: Architecture) -> str:
    optimizer, options = OPTIMIZERS[training.optimizer]
    arguments = ", ".join(f"{name}={getattr(training, option)!r}" for name, option in options.items())
    clip = {
        "norm": f"norm = nn.utils.clip_grad_norm_(parameters, {training.clip_at!r})",
        "value": f"norm = nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None])\n"
        f"    nn.utils.clip_grad_value_(parameters, {training.clip_at!r})",
        "none": "norm = nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None])",
    }[training.clipping]
    hidden = f"hidden[{problem.source_steps}:]" if problem.source_steps else "hidden"
    if task.reads == "last":
        of_any_length = problem.batch(0).lengths is not None
        hidden = "hidden[lengths - 1, torch.arange(len(lengths))]" if of_any_length else "hidden[-1]"
    loss = {
        "mse": "nn.functional.mse_loss(answers, targets)",
        "cross_entropy": "nn.functional.cross_entropy(answers.flatten(0, -2), targets.flatten())",
    }[task.loss]
    double = training.dtype == "float64"
    return filled(
        _LOOP, optimizer=getattr(optimizer, "__name__", ""), arguments=arguments, steps=training.steps, clip=clip,
        double="\n    inputs = inputs.double()" * double
        + "\n    targets = targets.double()" * (double and task.loss == "mse"),
        forward=textwrap.indent(_forward(training, problem, record), "    "), hidden=hidden, loss=loss,
    )  # fmt: skip


def _forward(training: Training, problem: Problem, record: Architecture) -> str:
    """Return the lines that make ``hidden`` of ``inputs``."""
    source = problem.source_steps
    if not training.truncation:
        if not source:
            return "hidden, _ = network(inputs)"
        return (
            f"read, states = encoder(inputs[:{source}])\n"
            f"said, _ = decoder(inputs[{source}:], states)\nhidden = torch.cat([read, said])"
        )
    several = len(record.states) > 1
    detach = "tuple(state.detach() for state in states)" if several else "states.detach()"
    return filled(_TWO_PIECES if source else _PIECES, every=training.truncation, detach=detach, source=source)


_PIECES = """\
# Truncated: states are detached every $every steps, counted back from the last.
ends, states, outputs = sorted({0, *range(len(inputs), 0, -$every)}), None, []
for first, last in zip(ends, ends[1:]):
    output, states = network(inputs[first:last], states)
    states = $detach
    outputs.append(output)
hidden = torch.cat(outputs)"""

_TWO_PIECES = """\
# Truncated: states are detached every $every steps, counted back from the last.
ends, states, outputs = sorted({0, *range(len(inputs), 0, -$every)}), None, []
for first, last in zip(ends, ends[1:]):
    turn = min(max($source, first), last)
    for reader, start, end in [(encoder, first, turn), (decoder, turn, last)]:
        if start < end:
            output, states = reader(inputs[start:end], states)
            outputs.append(output)
    states = $detach
hidden = torch.cat(outputs)"""

_LOOP = """\
# The loop.
optimizer = torch.optim.$optimizer(parameters, $arguments)
for step_number in range($steps):
    inputs, targets, lengths = batch(step_number)$double
    optimizer.zero_grad()
$forward
    answers = head($hidden)
    loss = $loss
    loss.backward()
    $clip
    print(step_number, loss.item())
    if not (math.isfinite(loss.item()) and math.isfinite(norm.item())):
        break  # the loss or its gradient left the float range
    optimizer.step()"""
