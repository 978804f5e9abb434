"""The command line that diagnoses: what the page Your network says, as text and JSON.

``lstm-explorer diagnose --help`` explains it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from lstm_explorer.core.architectures import architecture_of
from lstm_explorer.core.checkpoints import LoadedCheckpoint, find_in_checkpoint
from lstm_explorer.core.diagnosis.diagnose import Diagnosis, diagnose
from lstm_explorer.core.diagnosis.mending import mended_biases, mending_lines
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.networks.finding import access_path
from lstm_explorer.core.tables import TableReading
from lstm_explorer.exhibits.your_network import input_settings, table_inputs
from lstm_explorer.exhibits.your_network_view import YourNetworkView
from lstm_explorer.exhibits.your_network_words import (
    biases_summary,
    clipping_sentence,
    layer_name,
    mend_sentences,
    reach_summary,
    truncation_sentence,
)
from lstm_explorer.export.arguments import Parser, add_fields, one_line_errors, table_of
from lstm_explorer.locales import LANGUAGES, _, translated, use_language
from lstm_explorer.runs.own_networks import Subject, moment_of_inputs

_ABOUT = """\
Say how far back the recurrent network in a checkpoint can remember, and which bias would carry it further.

The checkpoint is one of PyTorch, Lightning, safetensors or Keras; nothing in it is run. The exit status is 0 where
enough of the gradient arrives as far back as --needs-lag, 1 where it does not or where more than ten times arrives, and
2 where something is wrong.
"""
_EXAMPLES = """\
examples:
  lstm-explorer diagnose model.pt
      on noise, 100 steps back
  lstm-explorer diagnose model.ckpt --module encoder.lstm --data mine.csv --needs-lag 200 --share 0.01
      on your own data; the exit status says whether 1 % arrives 200 steps back
  lstm-explorer diagnose model.safetensors --json
      the numbers alone
  lstm-explorer diagnose model.pt --needs-lag 200 --mended better.pt
      the same file with only the biases changed that would do
"""
#: Steps that are asked for where nothing is said, and how many more than that are read.
_LAG, _LONGER = 100, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: As typed after ``lstm-explorer diagnose``; the process's own by default.

    Returns:
        0 where enough arrives or nothing was asked for; 1 where it does not; 2 where something is wrong.
    """
    options = make_parser().parse_args(arguments)
    arrives = True
    with one_line_errors("diagnose") as failed:
        use_language(options.language)
        arrives = _diagnose(options)
    return 2 if failed else int(options.needs_lag is not None and not arrives)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = Parser(
        prog="lstm-explorer diagnose", description=_ABOUT, epilog=_EXAMPLES,
        usage="lstm-explorer diagnose CHECKPOINT [options]", formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="the file")
    parser.add_argument("--module", help="name of the network, where the file has several")
    parser.add_argument("--needs-lag", type=int, help="how many steps back the task needs; default: 100, unasked")
    parser.add_argument("--share", type=float, default=0.01, help="share that is to arrive there; default: 0.01")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--mended", type=Path, metavar="FILE", help="write the file with the biases that would do")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="default: en")
    data = parser.add_argument_group("what it reads; noise by default")
    data.add_argument("--data", dest="table", type=Path, metavar="CSV", help="rows of numbers, one row per step")
    data.add_argument("--standardise", action="store_true", help="columns to mean 0, deviation 1; else as they are")
    data.add_argument("--text", help="a text, every character a random vector")
    data.add_argument("--sequence-length", type=int, help="steps; default: twice what is needed")
    data.add_argument("--samples", type=int, default=8, help="default: 8")
    data.add_argument("--input-scale", type=float, default=1.0, help="of noise and text; default: 1")
    data.add_argument("--seed", type=int, default=0, help="of noise and text; default: 0")
    add_fields(parser.add_argument_group("how --data is written, where that is not found by itself"), TableReading)
    return parser


def _diagnose(options: argparse.Namespace) -> bool:
    """Print what there is to say; tell whether enough arrives."""
    checkpoint = find_in_checkpoint(options.checkpoint)
    name = _chosen(checkpoint, options.module)
    network = checkpoint.network(name)
    found = next(one for one in checkpoint.found if one.name == name)
    if not options.json:
        _say(f"{options.checkpoint}: {checkpoint.format}, {found}")
        for note in (*checkpoint.notes, *found.notes):
            _say(f"  {translated(note.message).format(**note.values)}")
    diagnosis = _measured(options, network, name)
    if options.mended is not None:
        _write_mended(options.mended, checkpoint, name, network, diagnosis)
    if options.json:
        document = {"file": str(options.checkpoint), "format": checkpoint.format, "module": name, "network": str(found)}
        _say(json.dumps(document | diagnosis.to_dict(), indent=2, ensure_ascii=False))
    else:
        _say(_text(diagnosis, network, name, checkpoint.format))
    return diagnosis.arrives and diagnosis.verdict != "explodes"


def _chosen(checkpoint: LoadedCheckpoint, module: str | None) -> str:
    names = [found.name for found in checkpoint.found]
    if module is None and len(names) > 1:
        there = "; ".join(map(str, checkpoint.found))
        raise ValueError(f"the file has several networks: {there}. Choose one with --module {names[0]}.")
    return names[0] if module is None else module


def _measured(options: argparse.Namespace, network: nn.Module, name: str) -> Diagnosis:
    """Return the diagnosis on the data that is asked for."""
    if options.table and options.text is not None:
        raise ValueError("--data and --text: expected one of the two.")
    table = table_of(options, lambda text: None if options.json else _say(f"  {text}"))
    view, lag = _view(options, table)
    settings = input_settings(view, network)
    inputs = make_inputs(settings) if table is None else table_inputs(view, network, settings, table)
    if options.needs_lag is not None and options.needs_lag > len(inputs):
        raise ValueError(
            f"--needs-lag is {options.needs_lag}: expected at most {len(inputs)}, the steps that the data has."
        )
    moment = moment_of_inputs(Subject(network=network, name=name, digest=""), inputs)
    return diagnose(
        network, moment.inputs, needs_lag=min(lag, len(inputs)), share=options.share, cotangent=moment.cotangent
    )


def _view(options: argparse.Namespace, table: TableLike | None) -> tuple[YourNetworkView, int]:
    """Return what the options ask for, and the lag."""
    lag = _LAG if options.needs_lag is None else options.needs_lag
    wanted = options.sequence_length or max(lag * _LONGER, 2)
    steps = wanted if table is None or options.sequence_length else len(np.asarray(table))
    view = YourNetworkView(
        data="csv" if table is not None else "text" if options.text is not None else "noise",
        text=options.text or " ", sequence_length=steps, samples=1 if table is not None else options.samples,
        input_scale=options.input_scale, seed=options.seed, standardised=options.standardise,
    )  # fmt: skip
    return view, lag


def _write_mended(
    path: Path, checkpoint: LoadedCheckpoint, name: str, network: nn.Module, diagnosis: Diagnosis
) -> None:
    if diagnosis.mend is None:
        raise ValueError(f"nothing was written to {path}: there is no bias to change. Leave --mended out.")
    if path.exists():
        raise ValueError(f"{path} exists: expected a new file for --mended.")
    path.write_bytes(checkpoint.mended(name, mended_biases(network, diagnosis.mend)))


def _text(diagnosis: Diagnosis, network: nn.Module, name: str, file_format: str) -> str:
    """Return the diagnosis as plain text."""
    lines = ["", _plain(reach_summary(diagnosis, diagnosis.weakest)), ""]
    for index, layer in enumerate(diagnosis.layers):
        half = diagnosis.half_life(index)
        steps = diagnosis.flow.log10_hidden.shape[1] - 1
        lines.append(
            _("{layer}: half-life {half}, reaches {reach} (steps). {biases}").format(
                layer=layer_name(layer), half=f"> {steps}" if half is None else half,
                reach=diagnosis.reach(diagnosis.share, index),
                biases=biases_summary(layer, architecture_of(network).name),
            )
        )  # fmt: skip
    lines += ["", _plain(mend_sentences(diagnosis, has_bias=bool(network.bias)))]
    if diagnosis.mend is not None and file_format != "Keras":
        lines += ["", mending_lines(network, diagnosis.mend, f"model{access_path(name)}"), ""]
    lines += [_plain(clipping_sentence(diagnosis)), _plain(truncation_sentence(diagnosis))]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _plain(text: str) -> str:
    return text.replace("**", "")
