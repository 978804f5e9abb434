"""Checkpoints for tests of the page and the command: small, made by PyTorch itself."""

import io

import torch
from torch import nn


class TwoNetworks(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(3, 6, 2, bidirectional=True)
        self.decoder = nn.GRU(12, 5)
        self.head = nn.Linear(5, 1)


def checkpoint(make=lambda: nn.LSTM(3, 6)):
    """Return the bytes of a state_dict."""
    torch.manual_seed(0)
    file = io.BytesIO()
    torch.save(make().state_dict(), file)
    return file.getvalue()
