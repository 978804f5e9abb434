"""The model's answers: of the last step, of each sample's own last step, of every step."""

import pytest
import torch

from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.options import Training

SMALL = Training(hidden_size=4, seed=2)
INPUTS = torch.randn(6, 3, 2, generator=torch.Generator().manual_seed(0))


def test_the_network_is_the_one_that_its_settings_build():
    built = build_network("lstm", SMALL.network_settings(2))
    model = Model(SMALL, 2, 5, "last")
    assert torch.equal(model.network.weight_hh_l0, built.weight_hh_l0)
    assert built.input_size == 2
    assert model.head.weight.abs().max() <= 0.5
    assert model.head.weight.std() > 0.2  # U(-1/2, 1/2) has 0.29


@pytest.mark.parametrize("lengths", [None, torch.tensor([6, 1, 4])])
def test_answers_come_from_each_sample_s_own_last_step(lengths):
    model = Model(SMALL, 2, 5, "last")
    answers, hidden = model(INPUTS, lengths)
    for sample, length in enumerate([6, 6, 6] if lengths is None else lengths.tolist()):
        alone = model.network(INPUTS[:length, [sample]])[0][-1, 0]
        torch.testing.assert_close(answers[sample], model.head.weight @ alone + model.head.bias)
    assert hidden.shape == (6, 3, 4)


@pytest.mark.parametrize("truncation", [0, 2, 4])
@pytest.mark.parametrize("architecture", ["lstm", "gru", "mingru"])
def test_truncation_changes_no_answer(architecture, truncation):
    changes = {"architecture": architecture}
    cut, whole = (Model(SMALL.replace(truncation=every, **changes), 2, 5, "every") for every in (truncation, 0))
    torch.testing.assert_close(cut(INPUTS).answers, whole(INPUTS).answers)
    assert cut(INPUTS).answers.shape == (6, 3, 5)
