"""The command ``lstm-explorer``, and ``python -m lstm_explorer``, which does the same."""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from collections.abc import Mapping, Sequence

from lstm_explorer import __version__
from lstm_explorer.extras import MissingExtraError

#: Command -> the module whose ``main`` runs it, and what it does. Imported when asked for: each needs an extra.
COMMANDS: Mapping[str, tuple[str, str]] = types.MappingProxyType(
    {
        "app": ("lstm_explorer.ui.launch", "open the app in a browser; options are those of streamlit run"),
        "train": (
            "lstm_explorer.export.train_command",
            "train networks, and keep their numbers and weights in a folder",
        ),
        "sweep": (
            "lstm_explorer.export.sweep_command",
            "measure a grid of settings, here or on a cluster; it goes on where it stopped",
        ),
        "diagnose": (
            "lstm_explorer.export.diagnose_command",
            "say how far back the network in a checkpoint remembers, and mend it",
        ),
        "export": ("lstm_explorer.export.command", "write a figure, its numbers or its script to a file"),
    }
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: As typed after ``lstm-explorer``; the process's own by default.

    Returns:
        The exit status: 0, 1 where something failed or is not installed, 2 for a wrong command.
    """
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if command not in COMMANDS:
        parser = make_parser()
        parser.parse_args([command] if command else [])
        parser.print_help()
        return 2
    try:
        run = importlib.import_module(COMMANDS[command][0]).main
    except MissingExtraError as missing:
        sys.stderr.write(f"lstm-explorer {command}: error: {missing}\n")
        return 1
    return int(run(rest))


def make_parser() -> argparse.ArgumentParser:
    """Return the parser that lists the commands; each reads its own options."""
    parser = argparse.ArgumentParser(
        prog="lstm-explorer",
        description="Exact gradients through time in real RNNs, LSTMs and GRUs: as an app, and as files.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="command", required=False)
    for name, (_module, about) in COMMANDS.items():
        commands.add_parser(name, help=about, add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
