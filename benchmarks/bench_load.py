"""Many readers at once: each moves a slider every few seconds, over Streamlit's own WebSocket.

Run ``python benchmarks/bench_load.py`` at the root of the repository; ``--help`` has its options. Every reader has a
seed of its own, so that no picture is another's, and each picture is compared with the one that the core gives for what
that reader chose. Prints the time from a move to its picture and to the end of the run, the server's processor time per
move, and its memory before, under the load, and after everybody has left; then the same of an empty Streamlit page that
draws figures of the same size, read from a file. With ``--disturbed-by`` one more reader heats the server meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

import websockets
from app_server import running
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.Common_pb2 import DoubleArray

import lstm_explorer as lx
from benchmarks.tab import Tab
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.job import Job
from lstm_explorer.runs.training.store import VARIABLE, Store
from lstm_explorer.ui.figure import packed
from lstm_explorer.ui.report import MOST_ITEMS, Item, Report, to_text

#: Biases of the moves; width of a chart in a window of 1280 pixels.
BIASES, CHART_WIDTH = tuple(0.25 * step for step in range(-8, 25)), 858
#: Seconds after which a picture counts as missing; and how long Streamlit keeps a session for its reader to come back.
PATIENCE, SESSION_LIFE = 120.0, 125.0
#: Seconds without a message after which a page has nothing left to do.
QUIET = 20.0
#: Pictures that are compared; the others are counted.
CHECKED = 2000
_MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A page with its slider and the figure that follows it."""

    path: str
    slider: str
    figure: str
    script: str = "streamlit_app.py"
    seeded: bool = True

    def picture(self, seed: int, bias: float) -> str:
        """Return what tells the figure of one reader's choice from every other."""
        return digest(figure_of(self, seed, bias))


SCENES = {
    "start": Scene(path="", slider="forget_bias", figure="journey"),
    "biases": Scene(path="biases", slider="forget_bias", figure="bias_map"),
    "biases-new-map": Scene(path="biases", slider="input_bias", figure="bias_map"),
}


@dataclass(frozen=True, kw_only=True)
class Disturber:
    """Somebody who heats the server.

    Attributes:
        page: The page that is opened again and again.
        query: Its address, the number of times before given.
        steps: What is changed there, in order: the key of a widget, and the field of its state.
        stays: Seconds until the page is left.
    """

    page: str
    query: Callable[[int], str]
    steps: Sequence[tuple[str, Mapping[str, Any]]] = ()
    stays: float = 600.0


def heavy_report(number: int) -> str:
    """Return the address of a report of 24 heavy views, each of other networks."""
    settings = [lx.Settings(**LARGEST, num_seeds=4, seed=24 * number + at) for at in range(MOST_ITEMS)]
    items = tuple(Item(figure="gradients", settings=one, view=EXHIBITS["gradients"].view()) for one in settings)
    return urllib.parse.urlencode({"report": to_text(Report(items=items))})


LARGEST = {"sequence_length": 2000, "hidden_size": 256}
DISTURBERS = {
    "largest": Disturber(
        page="gradients",
        query=lambda number: urllib.parse.urlencode(
            {**LARGEST, "num_seeds": 64, "networks": "lstm-gru", "seed": number}
        ),
    ),
    "training": Disturber(
        page="training",
        query=lambda number: f"sequence_length=200&steps=5000&seed={number}",
        steps=[("train", {"trigger_value": True})],
    ),
    "report": Disturber(page="report", query=heavy_report),
    "posters": Disturber(
        page="gradients",
        query=lambda number: f"seed={number}",
        steps=[
            ("gradients_download", {"bool_value": True}),
            ("gradients_size", {"string_value": "Poster, 24 × 18 in"}),
            *1000 * [("gradients_file", {"trigger_value": True})],
        ],
    ),
    "reloads": Disturber(page="", query=lambda number: f"seed={number}", stays=0.1),
}


class _Remembering(DirectRunner):
    """Measures a job once."""

    def __init__(self) -> None:
        """Start without results."""
        super().__init__()
        self._done: dict[Job[Any], Any] = {}

    def run(self, job: Job[Any]) -> Any:
        """Return a job's result."""
        return self._done[job] if job in self._done else self._done.setdefault(job, super().run(job))


RUNNER = _Remembering()


def figure_of(scene: Scene, seed: int, bias: float) -> dict[str, Any]:
    """Return a figure as it is sent, made without Streamlit."""
    entry = EXHIBITS[scene.figure]
    settings = lx.Settings(seed=seed if scene.seeded else 0, **{scene.slider: bias})
    exhibit = entry.build(RUNNER, settings, entry.view())
    assert exhibit is not None
    spec = exhibit.spec("light") if exhibit.spec else exhibit.draw("light").to_plotly_json()
    return dict(packed({"data": spec["data"], "layout": {**spec["layout"], "template": None}}))


def digest(spec: Mapping[str, Any]) -> str:
    """Return what tells a picture from every other: the heights of all its lines."""
    return hashlib.md5(json.dumps([trace.get("y") for trace in spec["data"]], default=float).encode()).hexdigest()


@dataclass
class Tally:
    """What one load has measured; processor time is that of the moves, without the opening of the pages."""

    spent: float = 0.0
    memory: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    runs: list[float] = field(default_factory=list)
    seen: list[tuple[int, float, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Reader:
    """Somebody who has the page open and moves its slider."""

    def __init__(self, url: str, scene: Scene, seed: int, tally: Tally) -> None:
        """Keep what is looked at."""
        self._tab = Tab(url, scene.path, f"seed={seed}" if scene.seeded else "")
        self._scene, self._seed, self._tally = scene, seed, tally

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Open the page, and leave it in the end."""
        async with self._tab.opened():
            await self._run()
            if not self._tab.has(self._scene.slider):
                raise RuntimeError(f"the page {self._scene.path or 'Start here'} has no slider {self._scene.slider}.")
            yield

    async def move(self, bias: float) -> None:
        """Move the slider, and note how long its picture took and which it is."""
        await self._tab.change(self._scene.slider, double_array_value=DoubleArray(data=[bias]))
        seen, picture, took = await self._run()
        self._tally.pictures.append(seen)
        self._tally.runs.append(took)
        self._tally.seen.append((self._seed, bias, digest(json.loads(picture)) if picture else ""))

    async def _run(self) -> tuple[float, str | None, float]:
        """Await a run; return the seconds to the figure, the figure, and the seconds to the end of the run."""
        begin, seen, picture = time.perf_counter(), float("nan"), None
        async for message in self._tab.run(PATIENCE):
            element = message.delta.new_element
            self._note_errors(element)
            if element.plotly_chart.id.endswith(f"-{self._scene.figure}"):
                seen, picture = time.perf_counter() - begin, element.plotly_chart.spec
        return seen, picture, time.perf_counter() - begin

    def _note_errors(self, element: Any) -> None:
        if element.WhichOneof("type") == "exception":
            self._tally.errors.append(element.exception.message)
        if element.WhichOneof("type") == "alert" and element.alert.format in (Alert.ERROR, Alert.WARNING):
            self._tally.errors.append(element.alert.body)


@dataclass(frozen=True, kw_only=True)
class Load:
    """How many readers move a slider, for how long, and how many seconds each waits between two moves."""

    sessions: int
    seconds: float
    pause: float


async def disturb(url: str, what: Disturber) -> None:
    """Be the reader who heats the server, again and again, until it is cancelled; each time with other networks."""
    for number in itertools.count():
        tab, todo = Tab(url, what.page, what.query(number)), list(what.steps)
        with contextlib.suppress(TimeoutError):  # nothing comes any more: all is measured, or time is up
            async with tab.opened(), asyncio.timeout(what.stays):
                async for message in tab.messages(QUIET):
                    if todo and message.WhichOneof("type") == "script_finished" and tab.has(todo[0][0]):
                        key, value = todo.pop(0)
                        await tab.change(key, **value)


async def load(url: str, pid: int, scene: Scene, what: Load, disturber: str = "") -> Tally:
    """Let readers move a slider for some time, each at its own moment."""
    tally, begin, opened = Tally(), asyncio.Event(), asyncio.Semaphore(0)
    heat = asyncio.create_task(disturb(url, DISTURBERS[disturber])) if disturber else None

    async def one(seed: int) -> None:
        chance = random.Random(seed)
        reader = Reader(url, scene, seed, tally)
        async with reader.reading():
            opened.release()
            await begin.wait()
            await asyncio.sleep(chance.uniform(0, what.pause))
            end = time.monotonic() + what.seconds
            biases = itertools.cycle(chance.sample(BIASES, len(BIASES)))
            while time.monotonic() < end:
                due = asyncio.create_task(asyncio.sleep(what.pause))
                await reader.move(next(biases))
                await due

    async def noted(seed: int) -> None:
        try:
            await one(seed)
        except (TimeoutError, OSError, websockets.WebSocketException) as lost:
            tally.errors.append(f"reader {seed}: {lost!r}")
        finally:
            opened.release()  # nobody waits for a reader who could not open the page

    async def watch() -> None:
        while True:
            tally.memory.append(resident(pid))
            await asyncio.sleep(0.25)

    tasks = [asyncio.create_task(noted(seed)) for seed in range(1, what.sessions + 1)]
    watching = asyncio.create_task(watch())
    for _reader in tasks:
        await opened.acquire()
    before = processor_seconds(pid)
    begin.set()
    await asyncio.gather(*tasks)
    tally.spent = processor_seconds(pid) - before
    watching.cancel()
    if heat is not None:
        heat.cancel()
    return tally


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MB


def measure(scene: Scene, options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Print a row for each number of readers, with the memory of one server that serves them all in turn."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(scene.script, {VARIABLE: folder, **environment}) as (url, process),
    ):
        # The first reader brings the imports and the compiled code.
        asyncio.run(load(url, process.pid, scene, Load(sessions=1, seconds=8, pause=2)))
        for sessions in options.sessions:
            what = Load(sessions=sessions, seconds=options.seconds, pause=options.pause)
            for disturber in ("", *(options.disturbed_by if scene.seeded else ())):
                tally = asyncio.run(load(url, process.pid, scene, what, disturber))
                for group in (store := Store(Path(folder))).groups():
                    store.remove(group)  # else it would be trained on, and its reader has left
                time.sleep(SESSION_LIFE if options.settle else 5)
                say(scene, sessions, tally, resident(process.pid), disturber)


def say(scene: Scene, sessions: int, tally: Tally, after: float, disturber: str) -> None:
    """Print a row."""
    checked = tally.seen[:: 1 + len(tally.seen) // CHECKED]
    wrong = sum(scene.picture(seed, bias) != seen for seed, bias, seen in checked)
    sys.stdout.write(
        f"{sessions:4d} readers, {len(tally.runs):5d} moves   picture {_times(tally.pictures)}   "
        f"run {_times(tally.runs)}   processor {1000 * tally.spent / len(tally.runs):5.1f} ms a move   "
        f"memory {tally.memory[0]:.0f}, {max(tally.memory):.0f}, {after:.0f} MB   wrong {wrong} of {len(checked)}, "
        f"errors {len(tally.errors)} {' '.join(tally.errors[:1])} {disturber}\n"
    )
    sys.stdout.flush()


def _times(seconds: list[float]) -> str:
    inorder = sorted(seconds)
    return f"median {1000 * statistics.median(inorder):5.0f} p95 {1000 * inorder[int(0.95 * len(inorder))]:5.0f} ms"


@contextlib.contextmanager
def peer(scene: Scene) -> Iterator[tuple[Scene, Mapping[str, str]]]:
    """Return an empty page that draws the same figures, read from a file."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        empty = Scene(path="", slider=scene.slider, figure=scene.figure, script="benchmarks/peer_app.py", seeded=False)
        drawn = {bias: figure_of(empty, 0, bias) for bias in BIASES}
        figures.write_text(json.dumps(drawn, default=float), encoding="utf-8")
        yield (
            empty,
            {
                "LSTM_EXPLORER_PEER_FIGURES": str(figures), "LSTM_EXPLORER_PEER_WIDTH": str(CHART_WIDTH),
                "LSTM_EXPLORER_PEER_KEYS": f"{scene.slider} {scene.figure}",
            },
        )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=list(SCENES), help="pages and their sliders")
    parser.add_argument("--sessions", nargs="+", type=int, default=[10, 25, 50], help="how many readers at once")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long they move")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two moves of a reader")
    parser.add_argument("--disturbed-by", nargs="+", choices=DISTURBERS, default=[], help="then again, beside one more")
    parser.add_argument("--settle", action="store_true", help="wait until Streamlit has dropped those who left")
    parser.add_argument("--no-peer", action="store_true", help="leave the empty page out")
    options = parser.parse_args()
    for name in options.scenes:
        sys.stdout.write(f"{name}\n")
        measure(SCENES[name], options, {})
        if not options.no_peer:
            sys.stdout.write(f"{name}, empty page\n")
            with peer(SCENES[name]) as (empty, environment):
                measure(empty, options, environment)


if __name__ == "__main__":
    main()
