"""The server's memory: results that nobody looks at are dropped, and what is free goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import threading
import time

from lstm_explorer.ui.result_cache import RESULTS
from lstm_explorer.ui.work import drop_unused_pieces

#: Seconds between two looks, and after which a result counts as unused; seconds of work that are worth a look.
_PAUSE, _UNUSED, _WORK = 20.0, 120.0, 0.2
#: Options of GNU's C library (malloc.h): how many pools of memory the threads share, else one for each, and every run
#: of a page is a thread; and from how many bytes on an array has pages of its own, which go back when it does.
_M_ARENA_MAX, _ARENAS = -8, 2
_M_MMAP_THRESHOLD, _LARGE = -3, 1_000_000


def limit_pools() -> None:
    """Keep C's memory together, where the C library can."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, _ARENAS)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)


def tidy() -> None:
    """Drop what nobody looks at, and give free memory back to the system."""
    RESULTS.drop_unused(_UNUSED)
    drop_unused_pieces(_UNUSED)
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_tidy() -> None:
    """Start the thread that looks after the memory of this process."""
    threading.Thread(target=_look_after, name="tidying", daemon=True).start()


def _look_after() -> None:
    tidied, busy = 0.0, time.process_time()
    while True:
        time.sleep(_PAUSE)
        worked, busy = time.process_time() - busy, time.process_time()
        if worked > _WORK or time.monotonic() - tidied > _UNUSED:
            tidy()
            tidied = time.monotonic()
