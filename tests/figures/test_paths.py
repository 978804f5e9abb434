"""The figures of the paths hold the measured norms, and their shares sum to 1."""

import numpy as np

import lstm_explorer as lx
from lstm_explorer.figures.paths import plot_paths, plot_rates, shares


def test_paths_and_shares_are_drawn_as_measured():
    flows = lx.path_flows(lx.Settings(sequence_length=15, forget_bias=1.0, num_seeds=3, batch_size=2))
    for through, names in (("only", 6), ("without", 6), ("split", 5)):
        figure = plot_paths(flows, through=through)
        assert len(figure.data) == names
    np.testing.assert_allclose(sum(shares(flows).values()), 1.0, atol=1e-5)
    drawn = {trace.name: np.asarray(trace.y) for trace in plot_paths(flows).data}
    expected = np.quantile(
        (flows.total - flows.total[:, -1:]).permute(1, 0, 2).flatten(1), 0.5, axis=1, method="nearest"
    )
    np.testing.assert_allclose(drawn["total"], expected[::-1], rtol=1e-5)
    assert plot_rates(flows, gate=0.5).data[0].y[0] == 0.5
