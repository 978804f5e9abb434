"""What PyTorch's clipping and optimizers do, against the same calls on weights of their own, by hand."""

import math

import pytest
import torch
from torch import nn

from lstm_explorer.core.gradients.pytorch_clipping import StepChange, clipped_by_pytorch

CLIPPERS = {"norm": nn.utils.clip_grad_norm_, "value": nn.utils.clip_grad_value_}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def gradients(dtype=torch.float64, scale=1.0):
    generator = torch.Generator().manual_seed(0)
    return [scale * torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype) for shape in ((4, 3), (4,))]


def stepped(optimizer, grads):
    """Return by how much PyTorch moves weights of ordinary size, at a learning rate of 1."""
    weights = [nn.Parameter(torch.ones_like(one)) for one in grads]
    for weight, one in zip(weights, grads, strict=True):
        weight.grad = one.clone()
    OPTIMIZERS[optimizer](weights, lr=1.0).step()
    return torch.cat([(weight.detach() - 1).flatten() for weight in weights])


@pytest.mark.parametrize("clip_at", [0.3, 100.0])
@pytest.mark.parametrize("clipping", CLIPPERS)
def test_norms_directions_and_steps_are_pytorch_s(clipping, clip_at):
    before = gradients()
    weights = [nn.Parameter(torch.zeros_like(one)) for one in before]
    for weight, one in zip(weights, before, strict=True):
        weight.grad = one.clone()
    CLIPPERS[clipping](weights, clip_at)
    after = [weight.grad for weight in weights]
    found = clipped_by_pytorch(before, clipping, clip_at)
    one, other = (torch.cat([part.flatten() for part in each]) for each in (before, after))
    assert (found.dtype, found.numbers) == ("float64", 16)
    assert (found.norm_before, found.norm_after) == pytest.approx((one.norm().item(), other.norm().item()))
    assert found.cosine == pytest.approx(torch.cosine_similarity(one, other, dim=0).item())
    cut = {"norm": float(one.norm() > clip_at), "value": (one.abs() > clip_at).double().mean().item()}
    assert found.share_cut == cut[clipping]
    for name, change in found.optimizer_steps.items():
        first, second = stepped(name, before), stepped(name, after)
        assert change.length == pytest.approx((second.norm() / first.norm()).item(), rel=1e-9)
        assert change.cosine == pytest.approx(torch.cosine_similarity(first, second, dim=0).item())
    assert torch.equal(before[0], gradients()[0])  # nothing of the caller's is changed


def test_a_norm_that_overflows_while_no_number_does_leaves_nothing_of_the_gradient():
    """float32 squares 10^25: the norm is infinite, clip_grad_norm_ divides by it, and the step is zero."""
    found = clipped_by_pytorch(gradients(torch.float32, 1e25), "norm", 1.0)
    assert (found.norm_before, found.norm_after, found.not_finite_before) == (math.inf, 0.0, 0)
    assert found.optimizer_steps["sgd"].length == 0.0
    assert math.isnan(found.optimizer_steps["sgd"].degrees)
    by_value = clipped_by_pytorch(gradients(torch.float32, 1e25), "value", 1.0)
    assert by_value.norm_after == 4.0  # sixteen numbers of one


@pytest.mark.parametrize(("clipping", "left"), [("norm", 2), ("value", 1)])
def test_what_was_not_finite_is_counted_and_not_hidden(clipping, left):
    bad = gradients()
    bad[0][0, 0], bad[0][0, 1] = math.inf, math.nan
    found = clipped_by_pytorch(bad, clipping, 1.0)
    assert found.not_finite_before == 2
    assert found.not_finite_after == (16 if clipping == "norm" else left)  # the norm is NaN, and all are divided by it
    assert math.isnan(found.optimizer_steps["adam"].length)
    del bad[0]
    bad[0][2] = math.inf
    assert clipped_by_pytorch(bad, clipping, 1.0).not_finite_after == left - 1  # 0 times infinity, or the bound


def test_a_step_of_zero_has_no_direction_to_lose():
    change = clipped_by_pytorch([torch.zeros(3)], "norm", 1.0).optimizer_steps["sgd"]
    assert math.isnan(change.length)
    assert StepChange(0.5, 0.5).degrees == pytest.approx(60.0)
    assert StepChange(0.5, 1.0 + 1e-15).degrees == 0.0  # by rounding


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_far_from_one_lengths_and_directions_are_as_exact(scale):
    found, tame = (clipped_by_pytorch(gradients(scale=one), "value", 0.3 * one) for one in (scale, 1.0))
    assert found.cosine == pytest.approx(tame.cosine)
    assert found.optimizer_steps["sgd"] == pytest.approx(tame.optimizer_steps["sgd"])
