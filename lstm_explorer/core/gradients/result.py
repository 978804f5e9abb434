"""What a measurement of the gradient flow gives: norms of every step, layer and sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from torch import Tensor

Loss = Literal["last", "every"]


@dataclass(frozen=True, eq=False, kw_only=True)
class GradientFlow:
    """Gradient norms of every step as log10, exact past the float range; detached, on the CPU, in the network's dtype.

    A gradient that is exactly zero is ``-inf``, and so is one more than 10^300 below its sample's largest at that step.
    With replicas (:func:`lstm_explorer.seed_flows`) every tensor has one more axis ``R`` in front.

    ``L`` counts the layers, and of a bidirectional network each layer's directions, the forward one first, as PyTorch's
    ``h_n`` does. A direction's steps are in the order in which it reads: step ``T`` of the backward direction has read
    the first input. Past the end of a sample that is shorter than others there is no gradient: NaN.

    Attributes:
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``.
        log10_hidden: log10 of the norm of the total derivative dL/dh_t, ``(L, T + 1, B)``.
        log10_cell: log10 of the norm of the total derivative dL/dc_t, ``(L, T + 1, B)``; None unless LSTM.
        log10_cell_path: The part of dL/dc_t that travels by the cell state alone, the hidden state being detached
            before the gates of the next step, ``(L, T + 1, B)``; None unless LSTM.
        log10_inputs: log10 of the norm of dL/dx_t, ``(T, B)``; index ``t - 1`` is input ``t``.
        log10_hidden_units: log10 of the size of every element of dL/dh_t, ``(L, T + 1, B, H)``; None unless asked for.
        log10_cell_units: The same of dL/dc_t; None unless asked for, and LSTM.
        lengths: Steps of each sample, ``(B,)``; None where all are as long as the inputs.
        directions: 2 of a bidirectional network, else 1.
    """

    architecture: str
    log10_hidden: Tensor
    log10_cell: Tensor | None
    log10_cell_path: Tensor | None
    log10_inputs: Tensor
    log10_hidden_units: Tensor | None = None
    log10_cell_units: Tensor | None = None
    lengths: Tensor | None = None
    directions: int = 1

    def to_frame(self) -> pd.DataFrame:
        """Return the norms as a tidy table, one row per number.

        Returns:
            Columns ``architecture, layer, quantity, step, lag, sample, log10_norm``, ``replica`` in front of ``sample``
            where there are replicas, and ``direction`` behind ``layer`` where there are two. ``lag`` is steps back from
            the sample's last one; what is past it has no row.

        Example:
            >>> import lstm_explorer as lx, torch
            >>> flow = lx.gradient_flow(torch.nn.GRU(2, 3), torch.zeros(4, 1, 2))
            >>> flow.to_frame().groupby("quantity")["step"].max().to_dict()
            {'hidden': 4, 'inputs': 4}
        """
        replicated = self.log10_inputs.ndim == 3
        quantities = {"hidden": self.log10_hidden, "cell": self.log10_cell, "cell_path": self.log10_cell_path}
        frames = [_tidy(name, norms, replicated) for name, norms in quantities.items() if norms is not None]
        # The inputs belong to no layer's state: they are read by the first, from step 1 on.
        frames.append(_tidy("inputs", self.log10_inputs.unsqueeze(-3), replicated, first_step=1))
        frame = pd.concat(frames, ignore_index=True)
        frame.insert(0, "architecture", self.architecture)
        if self.directions == 2:
            of_inputs = frame["quantity"] == "inputs"
            direction = np.where(frame["layer"] % 2 == 0, "forward", "backward")
            frame.insert(2, "direction", np.where(of_inputs, "", direction))
            frame["layer"] //= 2
        if self.lengths is not None:
            ends = self.lengths.numpy()[frame["sample"]]
            frame["lag"] = ends - frame["step"]
            frame = frame[frame["step"] <= ends].reset_index(drop=True)
        return frame


def _tidy(quantity: str, norms: Tensor, replicated: bool, first_step: int = 0) -> pd.DataFrame:
    """Return ``(L, steps, B)`` or ``(R, L, steps, B)`` norms as rows."""
    array = norms.numpy() if replicated else norms.numpy()[None]
    replica, layer, step, sample = (index.ravel() for index in np.indices(array.shape))
    columns = {
        "layer": layer,
        "quantity": quantity,
        "step": step + first_step,
        "lag": array.shape[2] - 1 - step,
        **({"replica": replica} if replicated else {}),
        "sample": sample,
        "log10_norm": array.ravel(),
    }
    return pd.DataFrame(columns)
