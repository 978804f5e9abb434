"""Which optimizer step it is, told without touching the optimizer."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Optimizer


class Clock:
    """Counts how often a network's weights were updated between its forward passes.

    An optimizer of ``torch.optim``, or one derived from it, is heard at the end of its ``step()``. Who writes to the
    weights by hand is found out by the smallest of them. A network whose own weights are frozen goes by the model's.

    Attributes:
        step: Updates up to the last forward pass.
    """

    def __init__(self, network: nn.Module, model: nn.Module) -> None:
        """Start at step 0."""
        own = [weight for weight in network.parameters() if weight.requires_grad]
        weights = own or [weight for weight in model.parameters() if weight.requires_grad]
        self._weights = {id(weight) for weight in weights}
        self._smallest = min(weights, key=Tensor.numel, default=None)
        self._seen: Tensor | None = None
        self._heard = self._updated = False
        self.step = 0

    def hears(self, optimizer: Optimizer) -> bool:
        """Take note of an optimizer's step, and tell whether it was of these weights."""
        groups = (group["params"] for group in optimizer.param_groups)
        mine = any(id(weight) in self._weights for weights in groups for weight in weights)
        self._heard |= mine
        self._updated |= mine
        return mine

    def tick(self) -> bool:
        """Count at a forward pass, and tell whether a new step begins with it."""
        if not self._heard:
            self._updated = self._changed()
        updated, self._updated = self._updated, False
        self.step += updated
        return updated

    def _changed(self) -> bool:
        """Tell whether the smallest weight is another than at the last forward pass; ``.data`` keeps no version."""
        if self._smallest is None:
            return False
        now, before = self._smallest.detach(), self._seen
        if before is not None and before.equal(now.to(before)):
            return False
        self._seen = now.clone()
        return before is not None
