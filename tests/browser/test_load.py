"""A class of twenty at once, over Streamlit's own WebSocket: nobody meets an error, and each sees its own picture."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from benchmarks.bench_load import SCENES, Load, load


def test_twenty_readers_see_their_own_pictures(server):
    scene = SCENES["start"]
    what = Load(sessions=20, seconds=4, pause=2)
    with ThreadPoolExecutor(1) as apart:  # Playwright has an event loop of its own in this thread
        tally = apart.submit(lambda: asyncio.run(load(server, os.getpid(), scene, what, "largest"))).result()
    assert tally.errors == []
    assert len(tally.seen) >= 40
    assert [(seed, bias) for seed, bias, seen in tally.seen if scene.picture(seed, bias) != seen] == []
