"""The job in pieces gives what the function gives at once."""

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.runs.diagnosis import Diagnose
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.own_networks import Subject, moment_of_inputs


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("size", [1, 4, 10])
def test_piece_by_piece_is_the_diagnosis(kind, size):
    torch.manual_seed(1)
    network, inputs = kind(3, 8, 2), torch.randn(40, 3, 3)
    moment = moment_of_inputs(Subject(network=network, name="", digest=""), inputs)
    settings = lx.Settings(sequence_length=40, hidden_size=8, num_layers=2, batch_size=3, input_size=3)
    job = Diagnose(
        experiment=Experiment(architecture=kind.__name__.lower(), settings=settings, moment=moment),
        needs_lag=30, share=0.05,
    )  # fmt: skip
    pieces, carried = [], None
    for first in range(0, job.total, size):
        piece, carried = job.piece(first, min(first + size, job.total), carried)
        pieces.append(piece)
        so_far = job.diagnosis(job.join(pieces))
        assert (so_far.fresh is None) == (first + size <= 1)
    expected = lx.diagnose(network, inputs, needs_lag=30, share=0.05)
    assert so_far.to_dict() == expected.to_dict()
    np.testing.assert_allclose(so_far.log10_shares(fresh=True), expected.log10_shares(fresh=True))
    assert (expected.mend is None) == (kind is nn.RNN)


def test_a_diagnosis_that_is_not_whole_says_so():
    network, inputs = nn.GRU(3, 4), torch.randn(10, 1, 3)
    moment = moment_of_inputs(Subject(network=network, name="", digest=""), inputs)
    settings = lx.Settings(sequence_length=10, hidden_size=4, input_size=3)
    job = Diagnose(experiment=Experiment(architecture="gru", settings=settings, moment=moment), needs_lag=5, share=0.05)
    partly = job.diagnosis(job.piece(0, 1)[0])
    assert partly.to_frame()["log10_share_fresh"].isna().all()
    assert partly.to_dict()["log10_share_fresh"] is None
    with pytest.raises(ValueError, match="expected a whole diagnosis"):
        partly.log10_shares(fresh=True)
