"""What the configuration of a Keras model says of its recurrent layers, and whether PyTorch has such a layer."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lstm_explorer.core.architectures import Architecture
from lstm_explorer.core.checkpoints.finding import BY_BLOCKS
from lstm_explorer.core.checkpoints.messages import error, listed, note
from lstm_explorer.core.escape import one_line, short
from lstm_explorer.core.tables.messages import Note

#: Class of a layer -> the blocks of its kernels' columns, by our names of the gates, in Keras' order.
BLOCKS: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {
        "SimpleRNN": ("hidden",),
        "GRU": ("update", "reset", "candidate"),
        "LSTM": ("input", "forget", "candidate", "output"),
    }
)
_ASSUMED = {"activation": "tanh", "recurrent_activation": "sigmoid"}


class Layer(NamedTuple):
    """What a configuration says of a recurrent layer, or what is assumed where there is none."""

    kind: str
    units: int
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"
    reset_after: bool = True
    go_backwards: bool = False
    merge_mode: str | None = "concat"


def configured_layers(configuration: Any) -> list[tuple[str, Layer]]:
    """Return the recurrent layers of a model's configuration, those of models inside it included, by their names.

    Args:
        configuration: The JSON that Keras writes, read.
    """
    found, pending = [], [configuration]
    while pending:
        one = pending.pop()
        pending += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        if isinstance(one, dict) and isinstance(one.get("config"), dict):
            name = one_line(str(one["config"].get("name", "")), 200)
            found += [(name, layer) for layer in _layers(str(one.get("class_name")), one["config"])]
    return found


def _layers(kind: str, config: Mapping[str, Any]) -> Iterator[Layer]:
    """Yield a recurrent layer, both of a bidirectional one, none of another."""
    if kind == "Bidirectional":
        for way in ("layer", "backward_layer"):
            inner = config.get(way)
            if isinstance(inner, dict) and isinstance(inner.get("config"), dict):
                for layer in _layers(str(inner.get("class_name")), inner["config"]):
                    merge = config.get("merge_mode", "concat")
                    yield layer._replace(go_backwards=False, merge_mode=merge if merge is None else str(merge))
    elif kind == "RNN" and isinstance(cell := config.get("cell"), dict) and isinstance(cell.get("config"), dict):
        inside = cell["config"] | {"go_backwards": config.get("go_backwards", False)}
        yield from _layers(str(cell.get("class_name")).removesuffix("Cell"), inside)
    elif kind.endswith(("LSTM", "GRU", "RNN")) and isinstance(config.get("units"), int):
        said = {name: one_line(short(value).strip("'")) for name in _ASSUMED if (value := config.get(name)) is not None}
        whether = {name: bool(config[name]) for name in ("reset_after", "go_backwards") if name in config}
        yield Layer(one_line(kind), config["units"], **said, **whether)  # type: ignore[arg-type]


def layer_of(name: str, blocks: int, units: int, configured: Sequence[tuple[str, Layer]]) -> Layer | None:
    """Return the configuration of the layer of a name; None where there is none.

    Args:
        name: Of the layer.
        blocks: Of its kernels.
        units: Of the layer.
        configured: All layers that the file speaks of.

    Raises:
        CheckpointError: Several layers could be meant, and differ.
    """
    named = {layer for one, layer in configured if one == name}
    # Keras before 3.2 wrote weights under numbered classes and kept no names.
    alike = {layer for _, layer in configured if (len(BLOCKS.get(layer.kind, ())), layer.units) == (blocks, units)}
    meant = named or alike
    if len(meant) > 1:
        raise error("which_layer", name=name)
    return next(iter(meant), None)


def check_layer(name: str, layer: Layer | None, blocks: int) -> tuple[str, list[Note]]:
    """Return the nonlinearity of a plain RNN and what is to be said of a layer.

    Args:
        name: Of the layer.
        layer: What the file says of it; None where it says nothing.
        blocks: Of its kernels.

    Raises:
        CheckpointError: PyTorch has no such layer.
    """
    record = BY_BLOCKS[blocks]
    gated = len(record.blocks) > 1
    if layer is None:
        assumed = listed(list(_ASSUMED.values()) if gated else ["tanh"])
        return "tanh", [note("activations", names=assumed), *_on_order(record)]
    if len(BLOCKS.get(layer.kind, ())) != blocks:
        raise error("layer_class", name=name, came=layer.kind)
    free = "nonlinearity" in record.options
    expected = {"activation": ("tanh", "relu") if free else ("tanh",), "recurrent_activation": ("sigmoid",)}
    for setting, choices in expected.items():
        came = getattr(layer, setting)
        if came not in choices:
            said = " or ".join(map(repr, choices))
            raise error("activation", name=name, setting=setting, came=repr(came), expected=said, title=record.title)
    if not layer.reset_after:
        raise error("reset_before", name=name)
    notes = [note("go_backwards")] if layer.go_backwards else []
    notes += [note("merge_mode", merge_mode=layer.merge_mode)] if layer.merge_mode != "concat" else []
    return layer.activation, [*_on_order(record), *notes]


def _on_order(record: Architecture) -> list[Note]:
    """Say that gates were put into another order, where they were."""
    theirs = next(blocks for blocks in BLOCKS.values() if len(blocks) == len(record.blocks))
    if theirs == record.blocks:
        return []
    return [note("gate_order", theirs=listed(theirs), ours=listed(record.blocks))]
