"""Where the numbers of a watched training go: a logger's own method, TensorBoard's writer, or any function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: Called with a flat dict of numbers and the optimizer step.
Write = Callable[[Mapping[str, float], int], object]


def write_with(writer: Any) -> Write | None:
    """Return the function that writes numbers.

    Args:
        writer: Anything with ``add_scalar(name, value, step)``, as TensorBoard's ``SummaryWriter``; a function
            ``write(numbers, step)``, as ``wandb.log`` or the ``log_metrics`` of a Lightning logger; or None.

    Raises:
        TypeError: It is neither.

    Example:
        >>> write_with(lambda numbers, step: print(step, numbers))({"loss": 0.5}, 3)
        3 {'loss': 0.5}
    """
    if writer is None:
        return None
    if hasattr(writer, "add_scalar"):
        return lambda numbers, step: [writer.add_scalar(name, value, step) for name, value in numbers.items()]
    if callable(writer):
        write: Write = writer
        return write
    raise TypeError(
        f"writer is a {type(writer).__name__}: expected an object with add_scalar(name, value, step), or a function "
        "write(numbers, step)."
    )
