"""jacobian_eigenvalues against NumPy's of the weights and of Jacobians by autograd."""

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx


def sorted_values(values):
    return np.sort_complex(np.asarray(values).round(10))


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_of_weights_by_gate_and_of_chosen_steps(name):
    torch.manual_seed(0)
    network = getattr(nn, name.upper())(2, 4).double()
    inputs = torch.randn(6, 2, 2, dtype=torch.float64)
    found = lx.jacobian_eigenvalues(network, inputs, steps=(1, 6))
    gates = {
        "rnn": ["hidden"],
        "lstm": ["input", "forget", "candidate", "output"],
        "gru": ["reset", "update", "candidate"],
    }
    assert list(found.weight_hh) == gates[name]
    for index, gate in enumerate(gates[name]):
        block = network.weight_hh_l0.detach()[4 * index : 4 * index + 4].numpy()
        assert np.allclose(sorted_values(found.weight_hh[gate]), sorted_values(np.linalg.eigvals(block)))
        assert float(found.largest_singular_values[gate]) == pytest.approx(np.linalg.svd(block)[1][0])
        assert float(found.spectral_radii[gate]) == pytest.approx(np.abs(np.linalg.eigvals(block)).max())

    def last_state(*state):
        after = network(inputs[5:], state if name == "lstm" else state[0])[1]
        return torch.cat(after, dim=-1)[0] if name == "lstm" else after[0]

    before = network(inputs[:5])[1]
    before = before if name == "lstm" else (before,)
    jacobian = torch.autograd.functional.jacobian(lambda *state: last_state(*state)[1], before)
    at_last = torch.cat([part[:, 0, 1] for part in jacobian], dim=-1)
    assert found.jacobians.shape == (2, 2, len(at_last))
    assert np.allclose(sorted_values(found.jacobians[1, 1]), sorted_values(np.linalg.eigvals(at_last.numpy())))


def test_projections_and_two_directions():
    torch.manual_seed(0)
    projected = nn.LSTM(2, 4, proj_size=3)
    found = lx.jacobian_eigenvalues(projected, torch.randn(5, 1, 2))
    block = (projected.weight_hh_l0 @ projected.weight_hr_l0).detach()[4:8].double().numpy()
    assert np.allclose(sorted_values(found.weight_hh["forget"]), sorted_values(np.linalg.eigvals(block)), atol=1e-6)
    both = nn.GRU(2, 3, bidirectional=True)
    inputs = torch.randn(5, 1, 2)
    found = lx.jacobian_eigenvalues(both, inputs, steps=(2, 3))
    assert found.jacobians.shape == (2, 2, 1, 3)
    jacobians = lx.step_jacobians(both, inputs)[1, 2, 0].double().numpy()  # backwards, its third step
    assert np.allclose(sorted_values(found.jacobians[1, 1, 0]), sorted_values(np.linalg.eigvals(jacobians)), atol=1e-6)
    frame = found.to_frame()
    assert len(frame) == 2 * (3 * 3 + 2 * 3)
    own = frame.query("direction == 'backward' and step == 3")
    assert np.allclose(own["real"], found.jacobians[1, 1, 0].real)


def test_where_no_gate_reads_the_hidden_state_there_are_no_recurrent_weights():
    settings = lx.Settings(sequence_length=4, hidden_size=3)
    found = lx.jacobian_eigenvalues(lx.build_network("mingru", settings), lx.make_inputs(settings))
    assert found.weight_hh == {}
    assert found.jacobians.imag.abs().max() == 0  # its Jacobian is its gate


@pytest.mark.parametrize("steps", [(), (0,), (5,), (2, 1), (2, 2)])
def test_steps_that_are_not_there_are_refused(steps):
    with pytest.raises(ValueError, match="expected numbers from 1 to 4, ascending, each once"):
        lx.jacobian_eigenvalues(nn.RNN(1, 2), torch.zeros(4, 1, 1), steps=steps)
    with pytest.raises(TypeError, match="expected whole numbers"):
        lx.jacobian_eigenvalues(nn.RNN(1, 2), torch.zeros(4, 1, 1), steps=(1.5,))
