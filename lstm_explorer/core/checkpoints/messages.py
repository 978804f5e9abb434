"""What is said of a checkpoint: notes on what was converted or assumed, and reasons why it cannot be read."""

from __future__ import annotations

import contextlib
import struct
import types
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import one_line
from lstm_explorer.core.tables.messages import Note
from lstm_explorer.locales import N_

#: Sentences of notes, by code; translate these, then fill in the fields.
NOTES: Mapping[str, str] = types.MappingProxyType(
    {
        "time_first": N_(
            "A file of weights does not say batch_first: the network reads time first, (T, B, {input_size})."
        ),
        "batch_first": N_(
            "Keras reads its inputs batch first; the network here reads time first, (T, B, {input_size})."
        ),
        "nonlinearity": N_("A file of weights does not say whether a plain RNN uses tanh or relu: tanh was assumed."),
        "cell": N_("The weights are those of a single {title} cell: read as a network of one layer."),
        "dtype": N_("The weights are {dtype} in the file and were converted to float32."),
        "weight_norm": N_("Computed from the lengths and directions that weight_norm keeps: {parameters}."),
        "pruned": N_("Computed from the values and masks that pruning keeps: {parameters}."),
        "wrappers": N_("Names are written without {prefixes}, which a wrapper of the model put there."),
        "siblings": N_(
            "Beside the weights of {name} stand {others}, which PyTorch's {title} does not have: if the model computes "
            "with them, it is another network than this."
        ),
        "gate_order": N_("The gates are in Keras' order, {theirs}, and were put in PyTorch's, {ours}."),
        "one_bias": N_("Keras has one bias and PyTorch two, which are added: bias_ih holds it, bias_hh is zero."),
        "activations": N_("A file of weights does not say the activations: Keras' own, {names}, were assumed."),
        "reset_after": N_(
            "A GRU without biases does not say reset_after in its weights: reset_after=True was assumed."
        ),
        "go_backwards": N_("The layer has go_backwards=True: give the network its inputs from the last to the first."),
        "merge_mode": N_(
            "The layer joins its two directions by {merge_mode!r}; the outputs here stand side by side, as in PyTorch."
        ),
        "another": N_("another recurrent network: module={module!r} loads it"),
        "not_read": N_("an object of the class {kind}, which is not run"),
    }
)

#: Sentences of errors, by code.
ERRORS: Mapping[str, str] = types.MappingProxyType(
    {
        "no_file": N_("{path} cannot be read ({reason}): expected a checkpoint's path, or its bytes."),
        "no_plain_file": N_(
            "{path} is no plain file: expected a checkpoint, such as model.pt; of a folder, choose the file of weights "
            "in it."
        ),
        "too_large": N_(
            "The file has {came:.0f} MB: expected at most {limit:.0f} MB; save the weights of the recurrent network "
            "alone, torch.save(model.lstm.state_dict(), path)."
        ),
        "empty": N_("The file is empty: expected a checkpoint; save it again."),
        "unknown": N_(
            "The file is of no known format (it begins with {begins}): expected a checkpoint of PyTorch (.pt, .ckpt), "
            "safetensors, or Keras (.keras, .h5); save it with torch.save(model.state_dict(), path)."
        ),
        "packed": N_("The file is packed by {packer}: expected the checkpoint itself; unpack it first."),
        "plain_pickle": N_(
            "The file is a pickle that torch.save did not write, and pickles are not run: expected a checkpoint; save "
            "it with torch.save(model.state_dict(), path)."
        ),
        "foreign_zip": N_(
            "The file is a zip archive, but none of PyTorch or Keras ({members}): expected a checkpoint; unpack it and "
            "choose the file of weights in it."
        ),
        "compressed": N_(
            "{member} in the file is compressed, which neither PyTorch nor Keras do: expected the file as they wrote "
            "it; save it again."
        ),
        "swollen": N_("The parts of the file claim to be larger than the file itself: expected a whole checkpoint."),
        "many_parts": N_("The file has more than {limit} parts: expected a checkpoint of a smaller model."),
        "long_text": N_("{name} in the file has more than {limit} bytes: expected a checkpoint of a smaller model."),
        "damaged": N_("The file cannot be read as {format} ({reason}): expected a whole checkpoint; save it again."),
        "twice": N_("{name} stands in the file twice: expected each name once; save it again."),
        "big_endian": N_("The file is big-endian: expected numbers as this machine has them; save it on one like it."),
        "whole_model": N_(
            "The file is a pickled object of the class {kind}, and pickles are not run: expected a state_dict; save it "
            "with torch.save(model.state_dict(), path)."
        ),
        "scripted": N_(
            "The file is a scripted model, which is a program: expected a state_dict; save it with "
            "torch.save(torch.jit.load(path).state_dict(), new_path)."
        ),
        "no_state_dict": N_(
            "The file holds {came}: expected a state_dict; save it with torch.save(model.state_dict(), path)."
        ),
        "quantised": N_(
            "The weights are quantised ({name}): expected those of the network before it was quantised, float32."
        ),
        "no_networks": N_(
            "No recurrent network was found in the file: expected weights such as {expected}. It holds {names}."
        ),
        "several": N_('Recurrent networks in the file: {networks}. Expected one; choose it with module="{example}".'),
        "no_such_module": N_(
            "The module is {came!r}: expected one of the recurrent networks in the file, {networks}. Did you mean "
            "{near!r}?"
        ),
        "incomplete": N_(
            "{name} lacks {missing}: expected every weight of its layers ({count}); a network that PyTorch's "
            "nn.{title} does not compute cannot be read."
        ),
        "no_weights": N_("{name} has {names} alone: expected weight_ih_l0 and weight_hh_l0 with them."),
        "layers": N_("{name} has the layers {layers}: expected all of 0 to {last}."),
        "many_layers": N_("{name} has {came} layers: expected at most {limit}."),
        "rows": N_(
            "{name}.{parameter} has the shape {came}: expected H, 3H or 4H rows for its {columns} columns, as in "
            "PyTorch's RNN, GRU and LSTM."
        ),
        "projection": N_(
            "{name} has projections (weight_hr) that do not fit an LSTM ({came}): expected 4H rows; only nn.LSTM has "
            "proj_size."
        ),
        "shape": N_(
            "{name}.{parameter} has the shape {came}: expected {expected}; layers of differing sizes are no single "
            "network of PyTorch."
        ),
        "dtypes": N_(
            "{name} has weights that are {came}: expected float32 or float64, all alike; convert with model.float()."
        ),
        "parametrised": N_(
            "{name}.{parameter} is not in the file, but what it is computed from ({variants}): expected the weight "
            "itself; call torch.nn.utils.parametrize.remove_parametrizations(module, {parameter!r}), or what undoes it "
            "there, and save again."
        ),
        "not_finite": N_(
            "Values of {name} that are NaN or infinite: {count}. Expected finite weights; take a checkpoint of an "
            "earlier step."
        ),
        "reset_before": N_(
            "{name} is a GRU with reset_after=False, which resets before the recurrent product, and PyTorch's GRU "
            "after it: expected reset_after=True; no conversion is exact."
        ),
        "activation": N_(
            "{name} has {setting}={came}: expected {expected}, as in PyTorch's {title}; another activation is another "
            "network."
        ),
        "layer_class": N_("{name} is a {came}: expected LSTM, GRU or SimpleRNN; load it in Keras and save it as one."),
        "which_layer": N_(
            "{name} can be one of several layers in the file, whose activations differ: expected a file that says "
            "which; save it again with Keras 3."
        ),
        "claims": N_(
            "{name} claims more numbers than the file holds, or they are compressed or in another file: expected the "
            "array itself."
        ),
        "no_parameter": N_("{name} is no parameter of this network: expected one of {parameters}."),
        "new_shape": N_("The new {name} has the shape {came}: expected {expected}."),
        "new_not_finite": N_("The new {name} has values that are NaN or infinite, or too large for {dtype}: expected "
                             "finite numbers."),
        "computed": N_(
            "{name} is computed from other numbers in the file, and cannot be changed there: expected a parameter that "
            "is in the file; load the network, change it, and save it with torch.save(network.state_dict(), path)."
        ),
    }
)  # fmt: skip

#: Names that a message shows of many.
_SHOWN = 8
#: What a damaged or foreign file makes the readers of archives and arrays raise.
_REASONS = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SystemError,
    TypeError, ValueError, struct.error, zipfile.BadZipFile,
)  # fmt: skip


class CheckpointError(ExplainedError):
    """The reason why a checkpoint cannot be read or written: a ``template`` and the ``values`` that fill it."""


def note(code: str, **values: Any) -> Note:
    """Return a note by its code in :data:`NOTES`."""
    return Note(NOTES[code], values)


def error(code: str, **values: Any) -> CheckpointError:
    """Return an error by its code in :data:`ERRORS`."""
    return CheckpointError(ERRORS[code], values)


def listed(names: Sequence[str]) -> str:
    """Return names as a message shows them: the first of many, each in one line.

    Example:
        >>> listed(["a"] * 12)
        'a, a, a, a, a, a, a, a, … (+4)'
    """
    shown = ", ".join(one_line(name, 120) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown}, … (+{len(names) - _SHOWN})"


@contextlib.contextmanager
def no_other_errors(format: str) -> Iterator[None]:
    """Turn whatever a damaged or hostile file leads to into a :class:`CheckpointError`.

    Args:
        format: What the file is read as.

    Raises:
        CheckpointError: The file is damaged.
    """
    try:
        yield
    except CheckpointError:
        raise
    except _REASONS as reason:
        said = one_line(str(reason), 80) or type(reason).__name__
        raise error("damaged", format=format, reason=said) from reason
