"""cell_jacobians of cells of one's own, against networks and autograd."""

from typing import NamedTuple

import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.jacobians import steps


class State(NamedTuple):
    hidden: torch.Tensor
    cell: torch.Tensor


def test_a_plain_cell_has_the_jacobians_of_its_network():
    torch.manual_seed(0)
    lstm, cell = nn.LSTM(2, 3).double(), nn.LSTMCell(2, 3).double()
    cell.load_state_dict({name: getattr(lstm, f"{name}_l0") for name, _ in cell.named_parameters()})
    inputs, zeros = torch.randn(6, 2, 2, dtype=torch.float64), torch.zeros(2, 3, dtype=torch.float64)
    found = lx.cell_jacobians(lambda state, x: State(*cell(x, state)), State(zeros, zeros), inputs)
    torch.testing.assert_close(found, lx.step_jacobians(lstm, inputs), rtol=1e-9, atol=1e-14)
    flow = lx.jacobian_flow_of(found).log10_singular_values
    torch.testing.assert_close(flow, lx.jacobian_flow(lstm, inputs).log10_singular_values, rtol=1e-9, atol=1e-9)
    assert all(weight.grad is None for weight in cell.parameters())


def test_parts_of_any_shape_or_without_a_derivative():
    def step(state, x):
        return State(2 * state.hidden + state.cell.sum(dim=(1, 2)).unsqueeze(1), torch.ones_like(state.cell))

    start = State(torch.zeros(2, 1), torch.zeros(2, 1, 2))
    found = lx.cell_jacobians(step, start, torch.zeros(3, 2, 1))
    expected = torch.tensor([[2.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert torch.equal(found, expected.expand(3, 2, 3, 3))
    constant = lx.cell_jacobians(lambda h, x: torch.ones_like(h), torch.zeros(1, 2), torch.zeros(3, 1, 1))
    assert torch.equal(constant, torch.zeros(3, 1, 2, 2))
    handed_on = lx.cell_jacobians(lambda h, x: h, torch.zeros(1, 2), torch.zeros(3, 1, 1))
    assert torch.equal(handed_on, torch.eye(2).expand(3, 1, 2, 2))
    with torch.inference_mode():
        assert torch.equal(lx.cell_jacobians(step, start, torch.zeros(3, 2, 1)), found)


def in_place(h, x):
    after = h.tanh()
    return after.mul_(2)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (in_place, "step changes a tensor in place: expected a pure function"),
        (lambda h, x: h - h.mean(0), "step mixes the samples of a batch"),
        (
            lambda h, x: h.abs().sqrt(),
            r"of step \d is not finite: expected a step that can be differentiated",
        ),
    ],
)
def test_steps_that_cannot_be_measured_are_refused(step, said):
    with pytest.raises(ValueError, match=said):
        lx.cell_jacobians(step, torch.zeros(2, 3), torch.zeros(4, 2, 1))


def test_a_step_of_one_sample_without_a_derivative_is_named():
    with pytest.raises(ValueError, match="the Jacobian of step 1 is not finite: expected a step that can be"):
        lx.cell_jacobians(lambda h, x: h.abs().sqrt(), torch.zeros(1, 3), torch.zeros(4, 1, 1))


def test_too_large_a_sequence_is_refused(monkeypatch):
    monkeypatch.setattr(steps, "LIMIT", 2**8)
    with pytest.raises(ValueError, match=r"^4 x 2 Jacobians .* take 0\.0 GiB: expected at most .* pass fewer steps or"):
        lx.cell_jacobians(lambda h, x: h, torch.zeros(2, 3), torch.zeros(4, 2, 1))
