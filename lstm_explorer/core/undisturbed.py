"""Measurements that come out the same whatever mode PyTorch is in where they are called."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")


def undisturbed(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function ignore ``torch.autocast``, default devices and dtypes, inference mode and gradient modes.

    Args:
        function: One that measures.

    Returns:
        The same function; the modes are as they were when it returns.
    """

    @functools.wraps(function)
    def measured(*args: P.args, **kwargs: P.kwargs) -> R:
        if _is_plain():
            return function(*args, **kwargs)
        with _plain_mode():
            return function(*args, **kwargs)

    return measured


def _is_plain() -> bool:
    autocast = torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")
    modes = autocast or torch.is_inference_mode_enabled() or not torch.is_grad_enabled()
    return not modes and torch.get_default_device().type == "cpu"


@contextlib.contextmanager
def _plain_mode() -> Iterator[None]:
    with contextlib.ExitStack() as modes:
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                modes.enter_context(torch.autocast(device, enabled=False))
        if torch.is_inference_mode_enabled():
            modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
        if torch.get_default_device().type != "cpu":
            modes.enter_context(torch.device("cpu"))
        yield
