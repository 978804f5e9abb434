"""Training runs that were made up: what figures and sentences say of them is known beforehand."""

import numpy as np

import lstm_explorer as lx
from lstm_explorer.core.architectures import architecture_named

KNOW_NOTHING = 1 / 6


def made_run(architecture="lstm", *, steps=100, length=20, learns_at=60, seed=0, done=None, **options):
    """Return a run whose loss falls to a thousandth at one step, and whose gradient arrives at that step.

    Before it, a share of 10^-(lag / 2) arrives; from then on 10^-(lag / 100). ``learns_at=None`` never learns.
    """
    training = lx.Training(
        architecture=architecture, steps=steps, sequence_length=length, seed=seed, measurements=20, **options
    )
    done, at = steps if done is None else done, np.inf if learns_at is None else learns_at
    measured = np.array([step for step in training.measured_at if step <= done])
    rates = np.where(measured < at, -0.5, -0.01)
    ratios = np.multiply.outer(rates, np.arange(length, -1, -1.0))
    two = len(architecture_named(architecture).states) > 1
    quantities = ("hidden", "cell", "cell_path") if two else ("hidden",)
    gated = architecture_named(architecture).memory_gate is not None
    gate = np.tile([0.5, 0.4, 0.5, 0.6] if gated else [np.nan] * 4, (len(measured), 1))
    return lx.TrainingRun(
        training=training,
        loss=np.where(np.arange(done) < at, KNOW_NOTHING, 1e-3),
        gradient_norm=np.ones((done, 2)),
        steps=measured,
        score=np.where(measured < at, KNOW_NOTHING, 2e-3),
        log10_hidden=ratios - 2.0,
        log10_cell=ratios - 2.0 if two else None,
        log10_cell_path=ratios - 2.0 if two else None,
        log10_ratios=dict.fromkeys(quantities, ratios),
        forget_gate=gate,
        know_nothing=KNOW_NOTHING,
        chance=KNOW_NOTHING,
        lag=length,
    )
