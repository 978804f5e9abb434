"""Runs the program of a figure in this process, as if there were no Matplotlib."""

import contextlib
import csv
import io
import sys

import torch


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
