"""Tables of sweeps that were never run: their numbers are written here, so that it is known what is to come out."""

from __future__ import annotations

import pandas as pd

import lstm_explorer as lx
from lstm_explorer.runs.sweeps.store import TABLE, Folder

NAMES = ("architecture", "sequence_length", "forget_bias", "seed")
GRID = {"architecture": ["rnn", "lstm"], "sequence_length": [10, 20], "forget_bias": [0.0, 2.0], "seed": [0, 1, 2]}
STEPS = [1, 50, 100]


def run(architecture, length, bias, seed, learnt_at, before, *, curve=(1.0, 0.5, 0.1), error=None):
    """Return the rows of a run: one per gradient, those of the LSTM three times as far apart."""
    read = bias if architecture == "lstm" else "any"
    whole = {"learnt_at": learnt_at, "loss": curve[-1], "score": curve[-1] / 2, "know_nothing": 1 / 6, "lag": length}
    shares = (
        {"hidden": before - 1, "cell": before, "cell_path": before - 2}
        if architecture == "lstm"
        else {"hidden": before}
    )
    return [
        {
            **dict(zip(NAMES, (architecture, length, bias, seed), strict=True)),
            "quantity": name, **whole, "loss_steps": STEPS, "loss_curve": list(curve), "log10_share_before": share,
            "log10_share_after": share + 1, "seconds": 0.1, "error": error,
            "cell": f"{architecture}-{length}-{read}-{seed}",
        }
        for name, share in shares.items()
    ]  # fmt: skip


def runs():
    """Return the runs of a whole grid: the LSTM learns 10 steps, and 20 with a bias of 2, the RNN 10 at times."""
    rows = []
    for length in (10, 20):
        for bias in (0.0, 2.0):
            for seed in range(3):
                rows += run("rnn", length, bias, seed, 90 if length == 10 and seed == 0 else None, -length - seed)
                learns = length == 10 or bias == 2.0
                rows += run(
                    "lstm", length, bias, seed, 30 + 10 * seed if learns else None, bias - length / 5 - seed / 9
                )
    return rows


def written(folder, rows, **grid):
    """Return the bytes of a table with these rows."""
    about = {"grid": lx.Grid(settings={"steps": 100}, grid=GRID | grid).to_dict(), "varies": list(NAMES)}
    folder.mkdir(exist_ok=True)
    Folder(folder).write_table(pd.DataFrame(rows).astype({"learnt_at": "Int64"}), about)
    return (folder / TABLE).read_bytes()
