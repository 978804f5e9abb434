"""The cell diagram: its numbers are those of PyTorch's own cells, its picture is as strong as they are, and safe."""

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.figures.cell import DIAGRAMS, cell_values, plot_cell
from lstm_explorer.figures.cell_svg import fitting, number
from lstm_explorer.figures.theme import THEMES

STEPS, BATCH, INPUT, HIDDEN = 6, 2, 3, 5
NETWORKS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
CELLS = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell, "rnn": torch.nn.RNNCell}
QUANTITIES = {
    "lstm": {
        *("cell_before", "hidden_before", "forget", "input", "candidate", "output"),
        *("kept", "written", "cell", "exposed", "hidden"),
    },
    "gru": {"hidden_before", "reset", "update", "candidate", "kept", "written", "hidden"},
    "rnn": {"hidden_before", "hidden"},
}
ARCHITECTURES = pytest.mark.parametrize("architecture", NETWORKS)
SVG = "{http://www.w3.org/2000/svg}"

STAGES = {name: tuple(stage.name for stage in architecture_named(name).stages) for name in DIAGRAMS}


def network_and_inputs(architecture, layers=1):
    generator = torch.Generator().manual_seed(3)
    network = NETWORKS[architecture](INPUT, HIDDEN, num_layers=layers, dtype=torch.float64)
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return network, torch.randn(STEPS, BATCH, INPUT, generator=generator, dtype=torch.float64)


def trajectory_of(architecture, layers=1):
    return lx.unroll(*network_and_inputs(architecture, layers))


def by_hand(architecture, network, inputs):
    """Return every quantity ``(B, H)`` of every step: states from PyTorch's cell, gates from its weights' blocks."""
    cell = CELLS[architecture](INPUT, HIDDEN, dtype=torch.float64)
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in network.state_dict().items()})
    h = c = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
    for x in inputs:
        from_x = (x @ cell.weight_ih.T + cell.bias_ih).split(HIDDEN, dim=-1)
        from_h = (h @ cell.weight_hh.T + cell.bias_hh).split(HIDDEN, dim=-1)
        made = {"hidden_before": h}
        if architecture == "lstm":
            i, f, g, o = (a + b for a, b in zip(from_x, from_h, strict=True))
            made |= {"cell_before": c, "forget": f.sigmoid(), "input": i.sigmoid(), "candidate": g.tanh()}
            made |= {"output": o.sigmoid(), "kept": f.sigmoid() * c, "written": i.sigmoid() * g.tanh()}
            h, c = cell(x, (h, c))
            made |= {"cell": c, "exposed": c.tanh()}
        elif architecture == "gru":
            r, z = ((a + b).sigmoid() for a, b in zip(from_x[:2], from_h[:2], strict=True))
            n = (from_x[2] + r * from_h[2]).tanh()
            made |= {"reset": r, "update": z, "candidate": n, "kept": z * h, "written": (1 - z) * n}
            h = cell(x, h)
        else:
            h = cell(x, h)
        yield {**made, "hidden": h}


def parsed(svg):
    return ElementTree.fromstring(svg)


def quantities(svg):
    return {group.get("data-quantity"): group for group in parsed(svg).iter(f"{SVG}g") if group.get("data-quantity")}


def texts(element):
    return ["".join(text.itertext()) for text in element.iter(f"{SVG}text")]


def stroke(svg, name):
    """Return width and opacity of a quantity's first wire."""
    path = next(quantities(svg)[name].iter(f"{SVG}path"))
    return float(path.get("stroke-width")), float(path.get("stroke-opacity"))


@ARCHITECTURES
@torch.no_grad()
def test_values_are_those_of_pytorchs_cells_stepped_by_hand(architecture):
    network, inputs = network_and_inputs(architecture)
    trajectory = lx.unroll(network, inputs)
    for step, expected in enumerate(by_hand(architecture, network, inputs), start=1):
        for sample in range(BATCH):
            for unit in [None, *range(HIDDEN)]:
                values = cell_values(trajectory, step=step, sample=sample, unit=unit)
                wanted = {k: v[sample].mean() if unit is None else v[sample, unit] for k, v in expected.items()}
                assert set(values) == QUANTITIES[architecture] == set(wanted)
                for name, value in wanted.items():
                    # the same float64 operations but for the order of sums: a few units in the last place
                    assert values[name] == pytest.approx(value.item(), rel=1e-10, abs=1e-12), (name, step, unit)


@pytest.mark.parametrize(("architecture", "state"), [("lstm", "cell"), ("gru", "hidden")])
@pytest.mark.parametrize("unit", [None, 2])
def test_kept_and_written_add_up_to_the_new_state(architecture, state, unit):
    trajectory = trajectory_of(architecture)
    for step in range(1, STEPS + 1):
        values = cell_values(trajectory, step=step, unit=unit)
        assert values["kept"] + values["written"] == pytest.approx(values[state], abs=1e-12)


def test_layer_is_the_last_unless_said():
    trajectory = trajectory_of("lstm", layers=2)
    assert cell_values(trajectory, step=3) == cell_values(trajectory, step=3, layer=1)
    assert cell_values(trajectory, step=3, layer=0)["cell"] == pytest.approx(trajectory.cell[0, 3, 0].mean().item())
    assert "layer 1 of 2" in plot_cell(trajectory, step=3, layer=-2)


@ARCHITECTURES
@pytest.mark.parametrize("unit", [None, 4])
def test_picture_shows_every_value_beside_its_quantity(architecture, unit):
    trajectory = trajectory_of(architecture)
    svg = plot_cell(trajectory, step=4, unit=unit, reads="pixel row 3, column 4")
    groups = quantities(svg)
    assert set(groups) == {*QUANTITIES[architecture], "x"}
    for name, value in cell_values(trajectory, step=4, unit=unit).items():
        assert number(value) in texts(groups[name]), name
        assert f"= {number(value)} (" in groups[name].find(f"{SVG}title").text
    assert "pixel row 3, column 4" in texts(groups["x"])
    assert "x_t, read at this step: pixel row 3, column 4." in groups["x"].find(f"{SVG}title").text


@ARCHITECTURES
def test_every_quantity_can_be_reached_and_says_what_it_is(architecture):
    svg = plot_cell(trajectory_of(architecture), step=2)
    assert parsed(svg).get("role") == "group"
    assert "step 2 of 6 · mean of 5 units" in parsed(svg).get("aria-label")
    for name, group in quantities(svg).items():
        title = group[0]
        assert title.tag == f"{SVG}title"
        assert (group.get("role"), group.get("tabindex")) == ("img", "0")
        assert group.get("aria-label") == title.text
        assert name == "x" or "(mean of 5 units): " in title.text
        assert name == "x" or title.text.endswith("Shape (5,).")


def test_title_says_name_symbol_value_meaning_and_shape():
    settings = lx.Settings(sequence_length=5, hidden_size=8)
    trajectory = lx.unroll(lx.build_network("lstm", settings), lx.make_inputs(settings))
    title = quantities(plot_cell(trajectory, step=3, unit=7))["forget"][0].text
    value = number(float(trajectory.gates.forget[0, 2, 0, 7]))
    assert title == (
        f"forget gate f_t = {value} (unit 7 (of 0 to 7)): how much of the old cell state is kept; near 1 keeps, "
        "near 0 forgets. Shape (8,)."
    )


def test_gates_are_named_in_pytorchs_letters():
    groups = quantities(plot_cell(trajectory_of("lstm"), step=2))
    letters = {"forget": "ft", "input": "it", "candidate": "gt", "output": "ot", "cell": "ct", "hidden_before": "ht−1"}
    assert {name: texts(groups[name])[0] for name in letters} == letters
    groups = quantities(plot_cell(trajectory_of("gru"), step=2))
    letters = {"reset": "rt", "candidate": "nt", "written": "(1 − zt) ⊙ nt"}
    assert {name: texts(groups[name])[0] for name in letters} == letters


def test_gru_shows_what_the_update_gate_replaces():
    trajectory = trajectory_of("gru")
    update = cell_values(trajectory, step=5)["update"]
    assert f"1 − zt = {number(1 - update)}" in texts(quantities(plot_cell(trajectory, step=5))["update"])


def test_wire_is_as_strong_as_its_gate_and_never_gone():
    def forget(bias):
        settings = lx.Settings(sequence_length=10, forget_bias=bias)
        trajectory = lx.unroll(lx.build_network("lstm", settings), lx.make_inputs(settings))
        return stroke(plot_cell(trajectory, step=5), "forget")

    (thin, faint), (half, middling), (thick, full) = forget(-6.0), forget(0.0), forget(6.0)
    assert thin < half < thick
    assert thick > 4 * thin
    assert 0.2 <= faint < middling < full
    assert full > 0.98


def test_equal_states_are_drawn_alike_whatever_their_sign_and_their_picture():
    inputs = torch.zeros(1, 1, 1)
    network = torch.nn.LSTM(1, 1)

    def before(value):
        cell = torch.full((1, 1, 1), value)
        return stroke(plot_cell(lx.unroll(network, inputs, (cell * 0, cell)), step=1), "cell_before")

    assert before(0.5) == before(-0.5)
    widths = [before(value)[0] for value in (0.0, 0.1, 0.5, 1.0, 3.0)]
    assert widths == sorted(set(widths))
    assert before(0.0)[1] >= 0.2


@pytest.mark.parametrize(("architecture", "stage"), [(name, stage) for name in STAGES for stage in STAGES[name]])
def test_stage_fades_the_others(architecture, stage):
    groups = quantities(plot_cell(trajectory_of(architecture), step=3, stage=stage))
    lit = {name for name, group in groups.items() if group.get("opacity") == "1"}
    faded = {name for name, group in groups.items() if group.get("opacity") == "0.25"}
    assert lit | faded == set(groups)
    own = {"update": {"lstm": "cell", "gru": "update"}[architecture]} if stage == "update" else {}
    own |= {"new": "hidden", "rewrite": "hidden"}
    assert own.get(stage, stage) in lit
    assert bool(faded) == (architecture != "rnn")


def test_stages_are_the_lessons():
    assert STAGES == {
        "lstm": ("forget", "candidate", "input", "update", "output"),
        "gru": ("reset", "update", "candidate", "new"),
        "rnn": ("rewrite",),
    }


def test_stage_lights_the_hidden_states_branch_into_its_own_gate_only():
    hidden = quantities(plot_cell(trajectory_of("lstm"), step=3, stage="forget"))["hidden_before"]
    faded, lit = hidden.find(f"{SVG}g"), hidden.find(f"{SVG}path")
    assert faded.get("opacity") == "0.25"
    assert len(faded.findall(f"{SVG}polygon")) == 3
    assert lit.get("d").count("M") == 2


def test_without_a_stage_all_is_lit():
    groups = quantities(plot_cell(trajectory_of("gru"), step=3))
    assert {group.get("opacity") for group in groups.values()} == {"1"}


@ARCHITECTURES
@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_is_the_themes(architecture, theme):
    look = THEMES[theme]
    svg = plot_cell(trajectory_of(architecture), step=3, theme=theme, stage=STAGES[architecture][0])
    own = {look.background, look.text, look.muted, *look.networks.values(), *look.gates.values()}
    painted = {e.get(key) for e in parsed(svg).iter() for key in ("fill", "stroke")} - {None, "none"}
    assert painted <= own
    assert set(re.findall(r"#[0-9A-Fa-f]{3,8}\b", svg)) <= own
    assert look.networks[architecture] in painted


def test_colours_mean_what_they_mean_elsewhere():
    look = THEMES["light"]
    groups = quantities(plot_cell(trajectory_of("lstm"), step=3))
    wires = {name: next(group.iter(f"{SVG}path")).get("stroke") for name, group in groups.items()}
    for gate in ("forget", "input", "candidate", "output"):
        assert wires[gate] == look.gates[gate]
    for name in ("cell_before", "kept", "written", "cell", "exposed"):
        assert wires[name] == look.networks["lstm"]
    assert wires["hidden_before"] == look.text


@ARCHITECTURES
def test_svg_is_safe_to_embed(architecture):
    svg = plot_cell(trajectory_of(architecture), step=3)
    root = parsed(svg)
    assert root.get("width") == "100%"
    assert root.get("viewBox").startswith("0 0 900 ")
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "g", "title", "rect", "circle", "path", "polygon", "text", "tspan"}
    keys = {key for element in root.iter() for key in element.keys()}  # noqa: SIM118 - an Element is no mapping
    assert not {key for key in keys if key.startswith("on") or "href" in key or key in {"id", "style", "class"}}


@ARCHITECTURES
def test_text_stays_large_enough_however_long_it_is(architecture):
    trajectory = dataclasses.replace(trajectory_of(architecture), hidden=torch.full((1, STEPS + 1, 1, HIDDEN), -1e-300))
    assert fitting("w" * 500, 21, 90) == 12
    sizes = [t.get("font-size") for t in parsed(plot_cell(trajectory, step=3, reads="w" * 500)).iter(f"{SVG}text")]
    assert min(map(float, sizes)) >= 12


@pytest.mark.parametrize("reads", ["<script>alert('x')</script>", 'a" onload="b', "&amp;", "{unit}", "]]>"])
def test_what_is_read_is_escaped(reads):
    group = quantities(plot_cell(trajectory_of("rnn"), step=1, reads=reads))["x"]
    assert reads in texts(group)
    assert group[0].text == f"input x_t, read at this step: {reads}."
    assert len(group) == 5  # title, wire and its head, two texts


def test_what_xml_cannot_hold_is_replaced_and_what_is_long_is_cut():
    group = quantities(plot_cell(trajectory_of("lstm"), step=1, reads="\x00\x1b\ud800" + "w" * 500))["x"]
    shown = texts(group)[1]
    assert shown.startswith("\ufffd\ufffd\ufffdww")
    assert shown.endswith("…")
    assert len(shown) < 60
    assert "w" * 500 in group[0].text


def test_relu_is_named():
    assert "ReLU" in texts(parsed(plot_cell(trajectory_of("rnn"), step=1, nonlinearity="relu")))
    assert "tanh" in texts(parsed(plot_cell(trajectory_of("rnn"), step=1)))


def test_trajectory_is_left_as_it_was():
    trajectory = trajectory_of("lstm")
    before = [trajectory.hidden.clone(), trajectory.cell.clone(), *map(torch.clone, trajectory.gates)]
    plot_cell(trajectory, step=3)
    for old, new in zip(before, [trajectory.hidden, trajectory.cell, *trajectory.gates], strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"step": 0}, "step is 0: expected 1 to 6; step 0 is the initial state"),
        ({"step": 7}, "step is 7: expected 1 to 6"),
        ({"layer": 2}, "layer is 2: expected -2 to 1; negative layers count from the last"),
        ({"layer": -3}, "layer is -3: expected -2 to 1"),
        ({"sample": 2}, "sample is 2: expected 0 to 1"),
        ({"sample": -1}, "sample is -1: expected 0 to 1"),
        ({"unit": 5}, "unit is 5: expected 0 to 4; units count from 0, and None is their mean"),
        ({"unit": -1}, "unit is -1: expected 0 to 4"),
        ({"stage": "reset"}, "stage is 'reset': expected one of 'forget', 'candidate', .* for the 'lstm', or None"),
        ({"nonlinearity": "sin"}, "nonlinearity is 'sin': expected 'tanh' or 'relu'"),
        ({"theme": "pink"}, "theme is 'pink': expected 'light' or 'dark'"),
    ],
)
def test_what_does_not_exist_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        plot_cell(trajectory_of("lstm", layers=2), **{"step": 3, **wrong})


@pytest.mark.parametrize("wrong", [{"step": 0}, {"step": 7}, {"unit": 5}, {"layer": 1}, {"sample": 2}])
def test_values_that_do_not_exist_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is "):
        cell_values(trajectory_of("gru"), **{"step": 3, **wrong})
