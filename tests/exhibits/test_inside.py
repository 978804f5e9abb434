"""The exhibits of Inside the cell: the view is limited to what the network has, and phases survive the address."""

import json

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.by_hand import Phase
from lstm_explorer.exhibits import inside
from lstm_explorer.exhibits.inside import InsideView, phases_of, text_of
from lstm_explorer.runs.direct import DirectRunner

RUNNER = DirectRunner()
SETTINGS = lx.Settings(sequence_length=9, hidden_size=3, num_seeds=4, batch_size=2)


def test_one_replica_and_sample_is_drawn():
    one = inside.single(RUNNER, SETTINGS, InsideView(network="gru"))
    assert (one.architecture, one.settings.num_seeds, one.settings.batch_size) == ("gru", 1, 1)


def test_step_layer_and_unit_are_limited_to_the_network():
    trajectory = inside.unrolled(RUNNER, SETTINGS, InsideView())
    assert inside.place(trajectory, InsideView(step=500, depth=4, unit=200)) == (9, 0, 2)
    assert inside.place(trajectory, InsideView(step=4, unit=-1)) == (4, 0, None)
    assert inside.stage_of(InsideView(network="rnn", stage="forget")) is None
    assert inside.stage_of(InsideView(network="lstm", stage="forget")) == "forget"
    assert inside.part_of(InsideView(network="gru", part="output")) == "hidden"


def test_phases_survive_the_address():
    phases = [
        Phase(until=3, input=1, forget=0.5, output=0, value=-1),
        Phase(until=20, input=0, forget=0.99, output=1, value=0),
    ]
    assert text_of(phases) == "3:1,0.5,0,-1;20:0,0.99,1,0"
    assert phases_of(text_of(phases)) == phases


@pytest.mark.parametrize(
    "text",
    [
        "", "3:1,1,1", "3:1,1,1,2", "5:1,1,1,1;4:1,1,1,1", "x:1,1,1,1", "9999:1,1,1,1",
        ";".join(f"{until}:1,0,1,1" for until in range(1, 5)),
    ],
)  # fmt: skip
def test_phases_that_are_not_legal_are_refused_and_become_those_of_the_page(text):
    with pytest.raises(ValueError, match=r"hand is .*: expected up to 3 phases"):
        InsideView(hand=text)
    view, (correction,) = InsideView.parse_query({"hand": text})
    assert view == InsideView()
    assert correction == ("hand", text, InsideView().hand)


def test_the_animation_has_a_frame_for_every_step_and_begins_at_its_own():
    exhibit = inside.diagram(RUNNER, SETTINGS, InsideView(step=4))
    figure = exhibit.draw("light")
    assert [frame.name for frame in figure.frames] == [str(step) for step in range(1, 10)]
    assert figure.layout.sliders[0].active == 3
    assert next(iter(exhibit.neighbours("light"))) == 4
    assert set(exhibit.neighbours("light")) == set(range(1, 9))  # four to either side


def test_tables_are_the_trajectory_and_the_gradient():
    settings = SETTINGS.replace(num_seeds=1, batch_size=1)
    network, inputs = lx.build_network("lstm", settings), lx.make_inputs(settings)
    trajectory = lx.unroll(network, inputs)
    flow = lx.gradient_flow(network, inputs)
    table = inside.traces(RUNNER, SETTINGS, InsideView(unit=-1)).numbers().set_index(["name", "step"])["value"]
    np.testing.assert_allclose(table["forget"], trajectory.gates.forget[0, :, 0].double().mean(dim=1))
    np.testing.assert_allclose(table["cell"], trajectory.cell[0, :, 0].double().mean(dim=1))
    np.testing.assert_allclose(table["log10_gradient_total"], flow.log10_cell[0, :, 0])
    units = inside.gate_map(RUNNER, SETTINGS, InsideView(part="output")).numbers()
    grid = units.pivot_table(index="step", columns="unit", values="value").to_numpy()
    np.testing.assert_allclose(grid, trajectory.gates.output[0, :, 0].double().numpy())
    assert units["step"].min() == 1  # no gate made step 0
    values = inside.diagram(RUNNER, SETTINGS, InsideView(unit=1)).numbers().set_index(["name", "step"])["value"]
    np.testing.assert_allclose(values["hidden"], trajectory.hidden[0, 1:, 0, 1].double().numpy())
    json.dumps(values["hidden"].tolist())


def test_the_sentence_says_where_the_gradient_has_fallen():
    log10 = np.array([-6.0, -4.0, -2.9, -0.4, -0.2, 0.0])
    assert inside._gradient_summary(log10) == (
        "The gradient has fallen to a half 2 steps back, and to a thousandth 4 steps back."
    )
    assert inside._gradient_summary(log10[2:]).endswith("2 steps back, and never to a thousandth.")
    assert "never falls to a half" in inside._gradient_summary(np.zeros(4))
