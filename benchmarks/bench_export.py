"""Exports beside Kaleido's one-shot call, which starts a browser for every image.

Run ``python -m benchmarks.bench_export`` at the root of the repository. Both sides draw the same figure and take turns;
T = 2000 and 5 seeds, as the goals say. Medians of whole calls.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import kaleido
import torch

import lstm_explorer as lx
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.export import images
from lstm_explorer.export.files import FORMATS, ExportOptions, FileFormat, make
from lstm_explorer.export.paper import SHEETS, Paper, on_paper
from lstm_explorer.runs.direct import DirectRunner

SETTINGS = lx.Settings(sequence_length=2000, num_seeds=5)
ROUNDS, ONE_SHOTS = 15, 3


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def one_shot(exhibit: Exhibit, kind: FileFormat) -> Callable[[], object]:
    """Return Kaleido's own call for the same image."""
    figure, sheet = on_paper(exhibit, Paper()), SHEETS["slide"]
    size = {"width": sheet.width, "height": sheet.height, "scale": 2 if kind == "png" else 1}
    return lambda: kaleido.calc_fig_sync(figure, opts={"format": kind, **size}, kopts={"mathjax": False})


def main() -> None:
    """Print one line a figure and format."""
    torch.set_num_threads(1)
    for name in ("journey", "gradients"):
        entry = EXHIBITS[name]
        exhibit = entry.build(DirectRunner(), SETTINGS, entry.view())
        for kind, about in FORMATS.items():
            order = ExportOptions(format=kind, scale=2)
            first = seconds(lambda order=order, exhibit=exhibit: make(exhibit, order))
            later = [seconds(lambda order=order, exhibit=exhibit: make(exhibit, order)) for _ in range(ROUNDS)]
            line = f"{name:10s} {kind:8s} first {first * 1e3:6.0f} ms   later {statistics.median(later) * 1e3:6.1f} ms"
            if about.drawn:
                alone = statistics.median(seconds(one_shot(exhibit, kind)) for _ in range(ONE_SHOTS))
                line += f"   Kaleido, one shot {alone * 1e3:6.0f} ms   ratio {statistics.median(later) / alone:.2f}"
            print(line, flush=True)
    images.close()


if __name__ == "__main__":
    main()
