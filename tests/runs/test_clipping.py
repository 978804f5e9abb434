"""The jobs of the explosion give what the core gives, of drawn networks and of moments."""

import dataclasses

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.runs.clipping import ClippedWeights, Plain, Truncated
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment, Moment

SETTINGS = lx.Settings(sequence_length=12, hidden_size=4, num_seeds=3, loss="every", recurrent_gain=3.0, seed=7)
DRAWN = Experiment(architecture="gru", settings=SETTINGS)
MOMENT = Moment(
    network=lx.build_network("gru", SETTINGS.replace(seed=1)), inputs=lx.make_inputs(SETTINGS.replace(seed=2)),
    cotangent=torch.linspace(-1, 1, 48).view(12, 1, 4), digest="moment",
)  # fmt: skip
JOBS = {
    "clipped": (ClippedWeights, lx.clipped_gradient, {"clipping": "value", "clip_at": 0.1}),
    "plain": (Plain, lx.plain_backward, {}),
    "truncated": (Truncated, lx.truncated_flow, {"truncation": 5}),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_the_measurement_of_the_first_replica_or_of_the_moment(name):
    kind, measure, options = JOBS[name]
    job = kind(experiment=DRAWN, **options)
    first = lx.build_network("gru", SETTINGS), lx.make_inputs(SETTINGS)
    found = DirectRunner().run(job)
    assert found.to_frame().equals(measure(*first, **options).to_frame())
    assert job == kind(experiment=DRAWN.replace(loss="last", num_seeds=1), **options)
    assert job != kind(experiment=DRAWN.replace(seed=8), **options)
    moment = dataclasses.replace(DRAWN, moment=MOMENT)
    expected = measure(MOMENT.network, MOMENT.inputs, cotangent=MOMENT.cotangent, **options).to_frame()
    assert DirectRunner().run(kind(experiment=moment, **options)).to_frame().equals(expected)
    longer = kind(experiment=DRAWN.replace(sequence_length=24), **options)
    assert longer.work == pytest.approx(2 * job.work)
