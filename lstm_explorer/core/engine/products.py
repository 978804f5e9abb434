"""Matrix products for compiled loops, several sums at a time that do not wait for each other.

They reach what OpenBLAS reaches on matrices of this size, without a call; benchmarks/README.md has the numbers.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from lstm_explorer.core.engine.compiled import compiled
from lstm_explorer.core.engine.scaled import Array


@compiled
def matmul_transposed(left: Array, right: Array, out: Array) -> None:
    """Fill ``out`` ``(B, K)`` with ``left @ right.T`` for ``(B, J)`` and ``(K, J)``.

    Four columns and two rows at a time: eight sums that do not wait for each other.
    """
    rows, length = left.shape
    columns = len(right)
    for k in range(0, columns - 3, 4):
        for b in range(0, rows - 1, 2):
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = 0.0
            for j in range(length):
                r0, r1, r2, r3 = right[k, j], right[k + 1, j], right[k + 2, j], right[k + 3, j]
                s0 += left[b, j] * r0
                s1 += left[b, j] * r1
                s2 += left[b, j] * r2
                s3 += left[b, j] * r3
                t0 += left[b + 1, j] * r0
                t1 += left[b + 1, j] * r1
                t2 += left[b + 1, j] * r2
                t3 += left[b + 1, j] * r3
            out[b, k], out[b, k + 1], out[b, k + 2], out[b, k + 3] = s0, s1, s2, s3
            out[b + 1, k], out[b + 1, k + 1], out[b + 1, k + 2], out[b + 1, k + 3] = t0, t1, t2, t3
        if rows % 2:
            s0 = s1 = s2 = s3 = 0.0
            for j in range(length):
                s0 += left[rows - 1, j] * right[k, j]
                s1 += left[rows - 1, j] * right[k + 1, j]
                s2 += left[rows - 1, j] * right[k + 2, j]
                s3 += left[rows - 1, j] * right[k + 3, j]
            out[rows - 1, k], out[rows - 1, k + 1], out[rows - 1, k + 2], out[rows - 1, k + 3] = s0, s1, s2, s3
    for k in range(columns - columns % 4, columns):
        for b in range(rows):
            s0 = 0.0
            for j in range(length):
                s0 += left[b, j] * right[k, j]
            out[b, k] = s0


@compiled
def add_product(left: NDArray[Any], right: NDArray[Any], out: NDArray[Any]) -> None:
    """Add ``left @ right`` to ``out``, ``(N, J)`` and ``(J, K)``; four rows of each at a time."""
    rows, length = left.shape
    columns = right.shape[1]
    whole = length - length % 4
    for b in range(0, rows - 3, 4):
        for j in range(0, whole, 4):
            p0, p1, p2, p3 = left[b, j], left[b, j + 1], left[b, j + 2], left[b, j + 3]
            q0, q1, q2, q3 = left[b + 1, j], left[b + 1, j + 1], left[b + 1, j + 2], left[b + 1, j + 3]
            s0, s1, s2, s3 = left[b + 2, j], left[b + 2, j + 1], left[b + 2, j + 2], left[b + 2, j + 3]
            t0, t1, t2, t3 = left[b + 3, j], left[b + 3, j + 1], left[b + 3, j + 2], left[b + 3, j + 3]
            for k in range(columns):
                r0, r1, r2, r3 = right[j, k], right[j + 1, k], right[j + 2, k], right[j + 3, k]
                out[b, k] += p0 * r0 + p1 * r1 + p2 * r2 + p3 * r3
                out[b + 1, k] += q0 * r0 + q1 * r1 + q2 * r2 + q3 * r3
                out[b + 2, k] += s0 * r0 + s1 * r1 + s2 * r2 + s3 * r3
                out[b + 3, k] += t0 * r0 + t1 * r1 + t2 * r2 + t3 * r3
    for b in range(rows - rows % 4, rows):
        for j in range(0, whole, 4):
            p0, p1, p2, p3 = left[b, j], left[b, j + 1], left[b, j + 2], left[b, j + 3]
            for k in range(columns):
                out[b, k] += p0 * right[j, k] + p1 * right[j + 1, k] + p2 * right[j + 2, k] + p3 * right[j + 3, k]
    for b in range(rows):
        for j in range(whole, length):
            for k in range(columns):
                out[b, k] += left[b, j] * right[j, k]
