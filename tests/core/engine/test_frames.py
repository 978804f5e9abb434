"""Frames stay orthonormal where a step leaves its directions nearly parallel."""

import numpy as np
import pytest

from lstm_explorer.core.engine.frames import diagonalize, orthonormalize


@pytest.mark.parametrize("make", [orthonormalize, diagonalize])
def test_nearly_parallel_rows_become_orthonormal(make):
    hilbert = 1.0 / (np.arange(8)[:, None] + np.arange(8) + 1.0)  # condition 1e10
    rows, log2 = hilbert[None].copy(), np.zeros((1, 8))
    make(rows, log2)
    np.testing.assert_allclose(rows[0] @ rows[0].T, np.eye(8), rtol=0.0, atol=1e-14)
    assert log2.sum() == pytest.approx(np.linalg.slogdet(hilbert)[1] / np.log(2), rel=1e-6)


@pytest.mark.parametrize("make", [orthonormalize, diagonalize])
def test_lost_rows_are_zero(make):
    rows, log2 = np.outer([0.3, 0.7, 0.9], [0.1, 0.7, 0.3])[None].copy(), np.zeros((1, 3))
    make(rows, log2)
    assert (rows[0, 1:] == 0.0).all()
    assert (log2[0, 1:] == -np.inf).all()
