"""Runs programs in this process: that of a figure as if there were no Matplotlib."""

import contextlib
import csv
import io
import sys

import numpy as np
import torch

#: A reader's text that would do harm if it were taken for code.
HOSTILE = "\"\"\"'''\n# \r\u2028\\\x00 {0} $size '); raise SystemExit(3) #\\'\"; 안녕"


def printed_rows(program):
    """Return the rows that a program prints, on a terminal that is of no use for Korean."""
    printed, errors = io.TextIOWrapper(io.BytesIO(), encoding="ascii"), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors), torch.random.fork_rng():
        hidden = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == "matplotlib"}
        sys.modules["matplotlib"] = None
        try:
            exec(compile(program, "script.py", "exec"), {"__name__": "__main__"})
        finally:
            torch.set_default_dtype(torch.float32)
            del sys.modules["matplotlib"]
            sys.modules.update(hidden)
    assert errors.getvalue().startswith("No figure.pdf: ")
    printed.flush()
    return list(csv.DictReader(io.StringIO(printed.buffer.getvalue().decode())))


def printed_by(script):
    """Run a program in this process and return its numbers, one row a line."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), torch.random.fork_rng():
        try:
            exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
        finally:
            torch.set_default_dtype(torch.float32)
    return numbers(printed.getvalue())


def numbers(text):
    return np.array([[float(word) for word in line.split(" ")] for line in text.splitlines()])
