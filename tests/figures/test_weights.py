"""The figures of the recurrent weights hold the measured norms."""

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.figures.names import gate_name
from lstm_explorer.figures.theme import THEMES
from lstm_explorer.figures.weights import plot_contributions, plot_weight_gradients

SETTINGS = lx.Settings(sequence_length=12, hidden_size=4, num_seeds=3)
RECURRENT = [name for name, record in ARCHITECTURES.items() if record.recurrent]


@pytest.mark.parametrize("name", RECURRENT)
def test_every_gate_is_drawn_over_the_length_and_the_first_state_dashed(name):
    measured = lx.weight_gradients(SETTINGS, architecture=name, lengths=(3, 6, 12))
    *gates, state = plot_weight_gradients(measured, theme="dark").data
    for row, trace in enumerate(gates):
        middle = np.sort(measured.log10_weight_hh[:, :, row].numpy(), axis=1)[:, 1]  # the median of three seeds
        np.testing.assert_allclose(trace.y, middle)
        np.testing.assert_allclose(10 ** np.asarray(trace.x), [3, 6, 12])
    np.testing.assert_allclose(state.y, np.sort(measured.log10_hidden[:, :, 0].numpy(), axis=1)[:, 1])
    assert (state.line.dash, state.line.color) == ("dash", THEMES["dark"].networks[name])


@pytest.mark.parametrize("name", RECURRENT)
def test_every_step_s_contribution_is_drawn_at_its_step(name):
    measured = lx.step_contributions(SETTINGS, architecture=name)
    traces = plot_contributions(measured).data
    assert [trace.name for trace in traces] == [gate_name(gate, name) for gate in measured.gates]
    for row, trace in enumerate(traces):
        middle = np.sort(measured.log10_norm[:, row].numpy(), axis=0)[1]
        np.testing.assert_allclose(trace.y, np.where(np.isfinite(middle), middle, np.nan))
        assert list(trace.x) == list(range(1, 13))
