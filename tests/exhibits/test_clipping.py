"""The exhibits of clipping and truncation: what they draw, tell and hand out is what the core measures."""

import math

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.exhibits.clipping import clipping, truncation
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.runs.direct import DirectRunner

RUNNER = DirectRunner()
SETTINGS = lx.Settings(sequence_length=40, recurrent_gain=4.0, loss="every", num_seeds=3, batch_size=2)
#: What is measured of them: one sample of one seed, the loss at the last step.
ONE = SETTINGS.replace(loss="last", num_seeds=1, batch_size=1)


@pytest.mark.parametrize("by", ["norm", "value"])
def test_clipping_is_that_of_the_network_on_screen(by):
    exhibit = clipping(RUNNER, SETTINGS, JacobiansView(network="rnn", clipping=by, clip_at=0.1))
    network, inputs = lx.build_network("rnn", ONE), lx.make_inputs(ONE)
    found, flow = lx.clipped_gradient(network, inputs, clipping=by, clip_at=0.1), lx.gradient_flow(network, inputs)
    table = exhibit.numbers()
    np.testing.assert_allclose(table["log10_before"], found.log10_steps_before[0], rtol=1e-6)
    np.testing.assert_allclose(table["log10_after"], found.log10_steps_after[0], rtol=1e-6)
    np.testing.assert_allclose(table["log10_hidden"], flow.log10_hidden[-1, 1:, 0], rtol=1e-6)
    np.testing.assert_allclose(table["hidden_in_floats"], 10.0 ** table["log10_hidden"], rtol=1e-3)
    assert exhibit.summary in exhibit.alt
    assert len(exhibit.draw("dark").data) == 2
    assert (exhibit.name, exhibit.experiments[0].settings) == ("clipped", ONE)


def test_truncation_ends_where_the_state_is_detached():
    exhibit = truncation(RUNNER, SETTINGS, JacobiansView(network="gru", truncation=15))
    table = exhibit.numbers()
    whole, cut = (part.set_index("lag")["log10_median"] for _, part in table.groupby("name", sort=False))
    network, inputs = lx.build_network("gru", ONE), lx.make_inputs(ONE)
    flow = lx.gradient_flow(network, inputs).log10_hidden[-1, :, 0].double().numpy()
    np.testing.assert_allclose(whole.loc[::-1].sort_index(), (flow - flow[-1])[::-1], atol=1e-5)
    np.testing.assert_allclose(cut.sort_index()[:15], whole.sort_index()[:15], atol=1e-5)
    assert (cut.sort_index()[15:] == -math.inf).all()
    assert "From lag 15 on exactly nothing arrives" in exhibit.summary
    assert exhibit.draw("light").layout.annotations[-1].text == "detached here"


def test_where_nothing_could_be_measured_there_is_no_exhibit():
    class Refusing:
        table = moment = None

        def run(self, job):
            return None

    for build in (clipping, truncation):
        assert build(Refusing(), SETTINGS, JacobiansView()) is None
