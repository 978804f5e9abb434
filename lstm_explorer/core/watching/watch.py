"""Watch the gradient through time of a model in its own training loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.watching.catching import Catcher
from lstm_explorer.core.watching.networks import networks_to_watch
from lstm_explorer.core.watching.watched import Watched
from lstm_explorer.core.watching.writers import write_with


@checks_kinds
def watch(
    model: nn.Module,
    *,
    every: int = 50,
    samples: int = 4,
    watch: Sequence[str] | None = None,
    scaler: Any = None,
    writer: Any = None,
) -> Watched:
    r"""Watch how far back the gradient of the training loss reaches, in a training loop of one's own.

    On every 50th optimizer step, what reaches the outputs of each recurrent network in ``loss.backward()`` is caught,
    and :math:`\partial L / \partial h_t` is measured at every step, exactly and past the range of a float, with the
    weights of that forward pass. It is measured when the optimizer has made its step. The model, its gradients and the
    random state stay as they are; no hook is left at the end, whatever happens. In ``eval()`` or without gradients
    nothing is measured. Everything that autograd brings to the outputs counts: a ``torch.autograd.grad`` through the
    same forward pass, as for a gradient penalty, is counted as part of the loss.

    An optimizer step is one of ``torch.optim``, or any change of the weights between two forward passes. All backward
    passes up to it count: several through the same forward pass add up, as their gradients do; those of gradient
    accumulation bring further samples, up to ``samples``. Each forward pass of a network is a record of its own: two
    sentences, or pieces of one text with the state carried on, are two calls.

    Args:
        model: The model that is trained.
        every: Measure every so many optimizer steps, from step 0 on.
        samples: Of how many samples of the batch, the first ones.
        watch: Names of the networks, such as ``["encoder.lstm"]``; all by default.
        scaler: The ``torch.amp.GradScaler`` of the loop, whose scale is divided out. Without it the norms are those of
            the scaled loss; shares and half-lives are the same.
        writer: Where to write :meth:`Watched.latest` after each measurement: anything with
            ``add_scalar(name, value, step)``, such as TensorBoard's ``SummaryWriter``, or a function
            ``write(numbers, step)``, such as ``wandb.log``.

    Returns:
        A context manager that has the numbers.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no recurrent network in the model, or none of a name, or one that cannot be watched.

    Example:
        >>> import torch
        >>> import lstm_explorer as lx
        >>> model = nn.GRU(2, 8)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> with lx.watch(model, every=2, samples=1) as watched:
        ...     for step in range(4):
        ...         output, _ = model(torch.ones(20, 1, 2))
        ...         output[-1].sum().backward()
        ...         optimizer.step()
        ...         optimizer.zero_grad()
        >>> watched.to_frame().groupby("optimizer_step")["lag"].max().to_dict()
        {0: 20, 2: 20}
    """
    for name, number in (("every", every), ("samples", samples)):
        if number < 1:
            raise ValueError(f"{name} is {number}: expected 1 or more.")
    if scaler is not None and not callable(getattr(scaler, "get_scale", None)):
        raise TypeError(f"scaler is a {type(scaler).__name__}: expected a torch.amp.GradScaler.")
    scale: Callable[[], float] = (lambda: 1.0) if scaler is None else scaler.get_scale
    catchers = {
        name: Catcher(network, model, every=int(every), samples=int(samples), scale=scale)
        for name, network in networks_to_watch(model, watch).items()
    }
    return Watched(catchers, write_with(writer))
