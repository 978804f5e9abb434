"""Vector-Jacobian products at the ends of a dtype's range, against the same products in wide arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from lstm_explorer.core.engine.generic import Elementwise, linearize

H, I = 6, 3  # noqa: E741 - features of the input, as everywhere
EPS = {torch.float32: 2.0**-23, torch.float64: 2.0**-52}


def _fractions(array):
    return np.vectorize(lambda x: Fraction(float(x)), otypes=[object])(np.asarray(array))


def _products(matrix, weight, cotangent):
    state = torch.zeros(len(cotangent), H, dtype=matrix.dtype)
    with torch.enable_grad():
        one = linearize(
            lambda state, x: (state[0] @ matrix.mT + x @ weight.mT,),
            (state,),
            torch.zeros(len(cotangent), I).to(matrix),
        )
    return one.products(cotangent, 1)


# By how many powers of two the cotangent's elements fall, of what size the derivatives are, and by how many they rise.
CASES = {
    "level": (0, 0, 0),
    "small derivatives": (0, -120, 0),
    "large derivatives": (0, 110, 0),
    "a falling cotangent": (-40, 0, 0),
    "a falling cotangent meets rising derivatives": (-20, 0, 20),
    "a cotangent that falls far": (-150, 0, 0),
    "a falling cotangent meets small derivatives": (-10, -95, 0),
}


@pytest.mark.parametrize("units", ["mixed", "each alone"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", CASES)
def test_products_are_exact_to_the_dtypes_rounding(name, dtype, units):
    fall, size, rise = CASES[name]
    generator = np.random.default_rng(0)
    scale = 2.0 ** (size + np.arange(H) * rise)
    # All positive, so that nothing cancels.
    matrix = torch.from_numpy(generator.uniform(0.5, 1.0, (H, H)) * scale[:, None]).to(dtype)
    matrix = matrix if units == "mixed" else torch.diag(matrix.diag())
    weight = torch.from_numpy(generator.uniform(0.5, 1.0, (H, I)) * scale[:, None]).to(dtype)
    cotangent = generator.uniform(0.5, 1.0, (2, H)) * 2.0 ** (np.arange(H) * fall)
    before, after, x = _products(matrix, weight, cotangent)
    exact = _fractions(cotangent)
    for found, right in ((before, _fractions(matrix)), (x, _fractions(weight)), (after, _fractions(np.eye(H)))):
        for came, wanted in zip(found.ravel(), (exact @ right).ravel(), strict=True):
            # a rounding of the cotangent, of each product and of each sum
            assert abs(Fraction(float(came)) - wanted) <= wanted * Fraction(2 * H * EPS[dtype])


def test_a_derivative_that_is_not_finite_is_refused():
    with torch.enable_grad():
        one = linearize(lambda state, x: (state[0].sqrt(),), (torch.zeros(1, 1),), torch.zeros(1, 1))
    with pytest.raises(ValueError, match=r"derivative of step 7 is not finite.*root of 0"):
        one.products(np.ones((1, 1)), 7)
    with pytest.raises(ValueError, match="derivative of step 3 is not finite"):
        Elementwise(np.array([[1.0, np.inf]])).products(np.ones((1, 2)), 3)
