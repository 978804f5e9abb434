"""What a pickle of PyTorch says, without running it.

A pickle is a program. ``torch.load(weights_only=True)`` runs the part of it that is thought harmless, which still lets
a file of a hundred bytes ask for memory without end, and refuses a Lightning checkpoint for one hyperparameter of a
class of its own. Here nothing in the file is looked up, called or imported: ``pickletools`` reads the instructions, and
dicts, lists, tuples, plain values and the descriptions of tensors come out. Everything else is a :class:`Foreign`.
"""

from __future__ import annotations

import pickletools
import types
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple

import torch

from lstm_explorer.core.checkpoints.messages import error
from lstm_explorer.core.escape import one_line

#: Instructions of one pickle; a tensor has some forty.
MAX_INSTRUCTIONS = 400_000

_KINDS = {"Double": torch.float64, "Float": torch.float32, "Half": torch.float16, "BFloat16": torch.bfloat16,
          "Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8,
          "Bool": torch.bool, "ComplexFloat": torch.complex64, "ComplexDouble": torch.complex128,
          "QInt8": torch.qint8, "QUInt8": torch.quint8, "QInt32": torch.qint32}  # fmt: skip
#: PyTorch's name of a class of storages -> the dtype of its numbers.
_STORAGES: Mapping[str, torch.dtype] = types.MappingProxyType(
    {f"torch {name}Storage": dtype for name, dtype in _KINDS.items()}
)
_TENSORS = ("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor")
_PARAMETERS = ("torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state")


#: Follows one instruction, given its argument.
Follow = Callable[["_Machine", Any], None]


class Name(NamedTuple):
    """A function or a class that the file names."""

    name: str


class Foreign(NamedTuple):
    """An object that is not made: of which class, or by which function."""

    kind: str


class Storage(NamedTuple):
    """Numbers in a row, which tensors are views of."""

    key: str
    dtype: torch.dtype
    numbers: int


class View(NamedTuple):
    """A tensor: which numbers of a storage it has."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def read_pickle(file: IO[bytes]) -> tuple[Any, dict[str, Storage]]:
    """Return what a pickle describes, and all storages that it names; the file is left behind its end.

    Args:
        file: A file of bytes.

    Raises:
        CheckpointError: It has too many instructions, or a dict has a name twice.
        ValueError: It is damaged, or written otherwise than PyTorch does.
    """
    machine = _Machine()
    for count, (opcode, argument, _position) in enumerate(pickletools.genops(file)):
        if count > MAX_INSTRUCTIONS:
            raise error("many_parts", limit=MAX_INSTRUCTIONS)
        if opcode.name not in _FOLLOW:
            raise ValueError(f"its instruction {opcode.name} is not of PyTorch")
        _FOLLOW[opcode.name](machine, argument)
    return machine.stack.pop(), machine.storages


class _Machine:
    """The stack of a pickle, without what could run."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, Storage] = {}

    def put(self, argument: int) -> None:
        """Remember the value on top."""
        self.memo[argument] = self.stack[-1]

    def memoize(self, _argument: None) -> None:
        """Remember the value on top under the next number."""
        self.memo[len(self.memo)] = self.stack[-1]

    def get(self, argument: int) -> None:
        """Push a remembered value."""
        self.stack.append(self.memo[argument])

    def mark(self, _argument: None) -> None:
        """Mark where values begin that belong together."""
        self.marks.append(len(self.stack))

    def name(self, argument: str) -> None:
        """Push a name of the file, which is looked up nowhere."""
        self.stack.append(Name(argument))

    def stack_name(self, _argument: None) -> None:
        """Push a name that stands on the stack in two parts."""
        self.stack.append(Name(" ".join(map(str, self.last(2)))))

    def persistent(self, _argument: None) -> None:
        """Push the storage that a tuple describes."""
        self.stack.append(self._storage(self.stack.pop()))

    def make(self, _argument: None) -> None:
        """Push what a call would return."""
        self.stack.append(_made(*self.last(2)))

    def make_with_names(self, _argument: None) -> None:
        """Push what a call with named arguments would return."""
        self.stack.append(_made(*self.last(3)[:2]))

    def drop(self, _argument: None) -> None:
        """Drop the value on top: an object's own attributes, such as a state_dict's versions."""
        self.stack.pop()

    def last(self, count: int) -> list[Any]:
        """Take some values off the stack."""
        if count > len(self.stack):
            raise ValueError("its stack is empty")
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def marked(self) -> list[Any]:
        """Take the values behind the last mark off the stack."""
        mark = self.marks.pop()
        taken = self.stack[mark:]
        del self.stack[mark:]
        return taken

    def _storage(self, persistent: Any) -> Storage | Foreign:
        match persistent:
            case ("storage", Name(name), str(key), _location, int(count), *rest) if name in _STORAGES and not any(rest):
                return self.storages.setdefault(key, Storage(key, _STORAGES[name], count))
        return Foreign("storage")


def _tuple(count: int) -> Follow:
    return lambda machine, _argument: machine.stack.append(tuple(machine.last(count)))


def _put_one(count: int) -> Follow:
    return lambda machine, _argument: _put(machine.last(count), machine.stack[-1])


def _put_marked(machine: _Machine, _argument: Any) -> None:
    _put(machine.marked(), machine.stack[-1])


def _put(values: list[Any], target: Any) -> None:
    """Put values into a list, or keys and values into a dict; what is of a foreign class stays empty."""
    if isinstance(target, list):
        target.extend(values)
    elif isinstance(target, dict):
        for key, value in zip(values[::2], values[1::2], strict=True):
            # Weights have names; to hash what else there may be could take for ever.
            if isinstance(key, str):
                if key in target:
                    raise error("twice", name=one_line(key))
                target[key] = value


def _made(function: Any, arguments: Any) -> Any:
    """Return what a call would have made, of the few that tensors and their dicts are made by."""
    match function, arguments:
        case Name("collections OrderedDict"), ():
            return {}
        case Name(name), (Storage() as storage, int(offset), tuple(shape), tuple(stride), *_rest) if name in _TENSORS:
            counts = (offset, *shape, *stride)
            if len(shape) == len(stride) <= 64 and all(type(one) is int and 0 <= one < 2**48 for one in counts):
                return View(storage, offset, shape, stride)
        case Name(name), (View() as view, *_rest) if name in _PARAMETERS:
            return view
    return Foreign(one_line(function.name.replace(" ", "."), 100) if isinstance(function, Name) else "object")


def _new(make: Callable[[], Any]) -> Follow:
    return lambda machine, _argument: machine.stack.append(make())


#: Instruction -> what follows it. Those that a pickle may hold and ``torch.save`` never writes are not here.
_FOLLOW: Mapping[str, Follow] = types.MappingProxyType(
    {
        **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda machine, _argument: None),
        **dict.fromkeys(
            ("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE",
             "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
            lambda machine, argument: machine.stack.append(argument),
        ),
        "NONE": _new(lambda: None), "NEWTRUE": _new(lambda: True), "NEWFALSE": _new(lambda: False),
        "EMPTY_DICT": _new(dict), "EMPTY_LIST": _new(list), "EMPTY_SET": _new(list), "EMPTY_TUPLE": _new(tuple),
        "TUPLE1": _tuple(1), "TUPLE2": _tuple(2), "TUPLE3": _tuple(3),
        "TUPLE": lambda machine, _argument: machine.stack.append(tuple(machine.marked())),
        "APPEND": _put_one(1), "SETITEM": _put_one(2),
        **dict.fromkeys(("APPENDS", "SETITEMS", "ADDITEMS"), _put_marked),
        "POP_MARK": lambda machine, _argument: machine.marked().clear(),
        "MARK": _Machine.mark, "BINPUT": _Machine.put, "LONG_BINPUT": _Machine.put, "MEMOIZE": _Machine.memoize,
        "BINGET": _Machine.get, "LONG_BINGET": _Machine.get, "GLOBAL": _Machine.name,
        "STACK_GLOBAL": _Machine.stack_name, "BINPERSID": _Machine.persistent, "REDUCE": _Machine.make,
        "NEWOBJ": _Machine.make, "NEWOBJ_EX": _Machine.make_with_names, "BUILD": _Machine.drop, "POP": _Machine.drop,
    }
)  # fmt: skip
