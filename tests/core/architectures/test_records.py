"""Every record against its own network and step: what it says of itself is what the network does."""

import dataclasses
import inspect

import pytest
import torch

from lstm_explorer.core.architectures import (
    ARCHITECTURES,
    Gate,
    State,
    _check,
    architecture_named,
    architecture_of,
    layer_parameters,
)
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings

SETTINGS = Settings(hidden_size=5, input_size=3, dtype="float64", forget_bias=0.5, update_bias=-0.25, seed=3)


def zeros_of(record, *lead):
    tensors = [torch.zeros(*lead, 5, dtype=torch.float64) for _state in record.states]
    annotation = inspect.signature(record.step).parameters["state"].annotation
    return tensors[0] if len(tensors) == 1 else inspect.unwrap(record.step).__globals__[annotation](*tensors)


@pytest.mark.parametrize("options", [{}, {"nonlinearity": "relu"}])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_step_is_the_networks_own(name, options):
    record, settings = architecture_named(name), SETTINGS.replace(**options)
    network = build_network(name, settings)
    inputs = torch.randn(7, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    state, hidden = zeros_of(record, 2), []
    for x in inputs:
        state, _gates = record.step_of(network)(layer_parameters(network, 0), state, x)
        hidden.append(state if isinstance(state, torch.Tensor) else state.hidden)
    torch.testing.assert_close(torch.stack(hidden), network(inputs)[0].detach(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_replicas_of_parameters_broadcast(name):
    record = architecture_named(name)
    networks = [build_network(name, SETTINGS.replace(seed=seed)) for seed in range(3)]
    many = [layer_parameters(network, 0) for network in networks]
    stacked = type(many[0]).stacked(many)
    x = torch.randn(2, 3, dtype=torch.float64)
    together, _gates = record.step(stacked, zeros_of(record, 3, 2), x)
    for replica, parameters in enumerate(many):
        alone, _gates = record.step(parameters, zeros_of(record, 2), x)
        for one, all_of_them in zip(
            *([s] if isinstance(s, torch.Tensor) else s for s in (alone, together)), strict=True
        ):
            torch.testing.assert_close(all_of_them[replica], one, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_record_knows_its_network_and_its_settings(name):
    record = architecture_named(name)
    network = build_network(name, SETTINGS)
    assert architecture_of(network) is record
    assert tuple(network.weight_ih_l0.shape) == (5 * len(record.blocks), 3)
    assert record.own_settings <= set(schema(Settings))
    assert record.memory in {state.name for state in record.states}
    assert record.states[0].name == "hidden"
    assert sum(bool(gate.keeps) for gate in record.gates) <= 1
    assert not record.gates or record.gates_type._fields == record.blocks
    said = {quantity.name for quantity in record.quantities}
    lit = {name for stage in record.stages for name in stage.lights} - {"x"}
    assert lit <= said


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_quantities_of_a_step_add_up(name):
    record = architecture_named(name)
    network = build_network(name, SETTINGS)
    step, parameters = record.step_of(network), layer_parameters(network, 0)
    x, state = torch.randn(2, 1, 3, dtype=torch.float64), zeros_of(record, 1)
    before, _gates = step(parameters, state, x[0])
    after, gates = step(parameters, before, x[1])

    def named(state):
        return {"hidden": state} if isinstance(state, torch.Tensor) else state._asdict()

    values = record.values(named(before), gates._asdict() if gates else {}, named(after))
    assert set(values) == {quantity.name for quantity in record.quantities}
    if "kept" in values:
        torch.testing.assert_close(values["kept"] + values["written"], named(after)[record.memory])


@pytest.mark.parametrize("name", [name for name, record in ARCHITECTURES.items() if record.memory_gate])
def test_the_bias_that_is_required_keeps_the_share(name):
    record = architecture_named(name)
    biases = {gate.name: -4.0 if gate.name == "input" else 0.0 for gate in record.gates}
    for lag, share in ((1, 0.5), (50, 0.1), (300, 0.9)):
        bias = record.required(lag, share, biases)
        if bias < float("inf"):
            kept = record.log10_kept({**biases, record.memory_gate.name: bias})
            assert float(lag * kept) == pytest.approx(torch.log10(torch.tensor(share)).item(), abs=1e-6)


def test_unknown_names_and_modules_are_refused_with_what_was_expected():
    with pytest.raises(ValueError, match="architecture is 'tcn': expected one of 'rnn', 'lstm', 'gru'"):
        architecture_named("tcn")
    with pytest.raises(
        TypeError, match=r"network is a Linear: expected torch\.nn\.RNN, torch\.nn\.LSTM or torch\.nn\.GRU"
    ):
        architecture_of(torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="gate is 'forget': expected one of 'reset', 'update', 'candidate'"):
        architecture_named("gru").gate("forget")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gates": (Gate("content", "g", "content"),)}, "expected content_bias in Settings; add it"),
        ({"states": (State("memory", "m", "memory"),)}, r"expected \('hidden',\) or \('hidden', 'cell'\)"),
        ({"name": "my-cell"}, "a name that can be a variable"),
    ],
)
def test_a_record_that_the_core_could_not_read_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        _check(dataclasses.replace(architecture_named("mingru"), **changes))
