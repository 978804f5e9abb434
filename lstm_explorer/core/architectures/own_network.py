"""Networks of cells that PyTorch does not have, laid out like ``torch.nn``'s own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lstm_explorer.core.architectures.parameters import Parameters
from lstm_explorer.core.architectures.recurrence import linear_recurrence


class OwnNetwork(nn.Module):
    r"""Stacked layers of a cell that PyTorch does not have, with the names and shapes of ``torch.nn.LSTM``.

    ``weight_ih_l{k}`` is ``(G*H, I)`` and ``bias_ih_l{k}`` ``(G*H,)``; where the gates read the hidden state, there are
    ``weight_hh_l{k}`` ``(G*H, H)`` and ``bias_hh_l{k}`` too. All are drawn from :math:`U(-1/\sqrt H, 1/\sqrt H)`, as
    PyTorch draws its own. ``network(inputs)`` returns the hidden states ``(T, B, H)`` of the last layer and every
    layer's last state, ``(L, B, H)`` each.

    A subclass says ``blocks``, ``step`` and ``recurrent``; the state of its step is one tensor. Where that is a linear
    function of the old one with factors that the input alone makes, ``factors`` says them, and a sequence is fast.

    Args:
        input_size: Features per step.
        hidden_size: Units :math:`H`.
        num_layers: Stacked layers.
        device: As in ``torch.nn``.
        dtype: As in ``torch.nn``.
    """

    #: How many blocks of rows the weights have, the cell's step, and whether its gates read the hidden state.
    blocks: ClassVar[int]
    step: ClassVar[Callable[..., tuple[Any, Any]]]
    recurrent: ClassVar[bool] = False
    #: ``(parameters, inputs)`` -> what every step keeps of the old state and what it adds, ``(T, B, H)`` each; or None.
    factors: ClassVar[Callable[..., tuple[Tensor, Tensor]] | None] = None

    bias, batch_first, bidirectional, proj_size, dropout = True, False, False, 0, 0.0

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Make the parameters, and draw them."""
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        for layer in range(num_layers):
            rows, columns = self.blocks * hidden_size, hidden_size if layer else input_size
            shapes = {
                "weight_ih": (rows, columns),
                "weight_hh": (rows, hidden_size),
                "bias_ih": (rows,),
                "bias_hh": (rows,),
            }
            for name, shape in shapes.items():
                if self.recurrent or name.endswith("ih"):
                    parameter = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
                    self.register_parameter(f"{name}_l{layer}", parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The weights of each layer as :class:`Parameters` has them; what the gates do not read is empty or zero."""
        layers: list[list[Tensor]] = []
        for layer in range(self.num_layers):
            hidden: list[Tensor]
            weight, bias = self.get_parameter(f"weight_ih_l{layer}"), self.get_parameter(f"bias_ih_l{layer}")
            if self.recurrent:
                hidden = [self.get_parameter(f"{name}_l{layer}") for name in ("weight_hh", "bias_hh")]
            else:
                hidden = [weight.new_empty(len(weight), 0), torch.zeros_like(bias)]
            layers.append([weight, hidden[0], bias, hidden[1]])
        return layers

    def forward(self, inputs: Tensor, initial_state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run every layer over a sequence.

        Args:
            inputs: ``(T, B, input_size)``.
            initial_state: ``(L, B, H)``; zeros by default.
        """
        shape = (self.num_layers, inputs.shape[1], self.hidden_size)
        last = []
        for layer, state in enumerate(inputs.new_zeros(shape) if initial_state is None else initial_state):
            inputs = self._layer(Parameters(*self.all_weights[layer]), inputs, state)
            last.append(inputs[-1])
        return inputs, torch.stack(last)

    def _layer(self, parameters: Parameters, inputs: Tensor, state: Tensor) -> Tensor:
        """Return the states of one layer after every step."""
        factors = type(self).factors
        if factors is not None:
            return linear_recurrence(*factors(parameters, inputs), state)
        outputs = []
        for x in inputs:
            state, _gates = type(self).step(parameters, state, x)
            outputs.append(state)
        return torch.stack(outputs)
