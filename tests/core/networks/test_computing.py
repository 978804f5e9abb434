"""What a network really computes is what is measured, or it is refused: never silently something else."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, rnn

import lstm_explorer as lx
from lstm_explorer.core.networks.computing import peculiarities

KINDS = [nn.RNN, nn.LSTM, nn.GRU]
X = torch.randn(20, 2, 3, generator=torch.Generator().manual_seed(0))


def stepped(network):
    """Change every weight as an optimizer step does."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    return network


def plain_twin(network, kind):
    """Return a plain network with the weights that the other one's forward pass uses."""
    network(X)
    twin = kind(3, 4)
    twin.load_state_dict({name: getattr(network, name).detach() for name in twin.state_dict()})
    return twin


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
def old_weight_norm(network):
    return nn.utils.weight_norm(network, "weight_hh_l0")


class Flip(nn.Module):
    def forward(self, weight):
        return weight.flip(1)


def parametrized(network):
    nn.utils.parametrize.register_parametrization(network, "weight_hh_l0", Flip())
    return network


def pruned(network):
    prune.l1_unstructured(network, "weight_hh_l0", amount=0.5)
    return network


REWEIGHTED = {
    "weight_norm": lambda network: parametrizations.weight_norm(network, "weight_hh_l0"),
    "old weight_norm": old_weight_norm,
    "spectral_norm": lambda network: parametrizations.spectral_norm(network, "weight_hh_l0").eval(),
    "old spectral_norm": lambda network: nn.utils.spectral_norm(network, "weight_hh_l0").eval(),
    "parametrization": parametrized,
    "pruning": pruned,
}


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REWEIGHTED)
def test_weights_that_are_made_on_the_way_are_up_to_date(name, kind):
    torch.manual_seed(0)
    network = REWEIGHTED[name](kind(3, 4))
    stale = copy.deepcopy(network.state_dict())
    stepped(network)
    fresh = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    measured = lx.gradient_flow(network, X)
    assert all(torch.equal(fresh[key], tensor) for key, tensor in network.state_dict().items())
    assert any(not torch.equal(stale[key], fresh[key]) for key in fresh)
    expected = lx.gradient_flow(plain_twin(network, kind), X)
    torch.testing.assert_close(measured.log10_hidden, expected.log10_hidden, rtol=0, atol=1e-4)
    assert measured.architecture == expected.architecture
    biases = lx.effective_biases(network)
    assert all(torch.equal(bias, lx.effective_biases(plain_twin(network, kind))[gate]) for gate, bias in biases.items())


class Scaled(nn.LSTM):
    def forward(self, inputs, state=None):
        output, state = super().forward(inputs, state)
        return 2 * output, state


class Renamed(nn.LSTM):
    def forward(self, inputs, state=None):
        return super().forward(inputs, state)


class OutputOnly(nn.LSTM):
    def forward(self, inputs, state=None):
        return super().forward(inputs, state)[0]


class LastOnly(nn.LSTM):
    def forward(self, inputs, state=None):
        return super().forward(inputs, state)[0][-1]


class Detaching(nn.LSTM):
    """Computes the same, piece by piece, and detaches the state between two pieces."""

    def forward(self, inputs, state=None):
        outputs = []
        for piece in inputs.split(5):
            output, (hidden, cell) = super().forward(piece, state)
            state = hidden.detach(), cell.detach()
            outputs.append(output)
        return torch.cat(outputs), state


class Failing(nn.LSTM):
    def forward(self, inputs, mask):
        return super().forward(inputs * mask)


class OutputDropout(nn.LSTM):
    def forward(self, inputs, state=None):
        output, state = super().forward(inputs, state)
        return (nn.functional.dropout(output, 0.5) if self.training else output), state


class WeightDrop(nn.LSTM):
    """As fastai has it: the recurrent weights are dropped anew at every call."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.raw = nn.Parameter(self.weight_hh_l0.detach().clone())
        del self._parameters["weight_hh_l0"]
        self._parameters["weight_hh_l0"] = self.raw.detach()

    def forward(self, inputs, state=None):
        self._parameters["weight_hh_l0"] = nn.functional.dropout(self.raw, 0.5, self.training)
        return super().forward(inputs, state)


def hooked(network, hook, *, before=False):
    (network.register_forward_pre_hook if before else network.register_forward_hook)(hook)
    return network


def patched(network):
    original = network.forward
    network.forward = lambda inputs, state=None: original(inputs + 1, state)
    return network


REFUSED = {
    "a subclass": (lambda: Scaled(3, 4), r"it is a Scaled, made of LSTM.*its forward was replaced"),
    "a forward that fails": (lambda: Failing(3, 4), r"fails on these inputs .*TypeError"),
    "the last output alone": (lambda: LastOnly(3, 4), r"returns \(2, 4\)"),
    "a state that is detached": (lambda: Detaching(3, 4), "the gradients of its inputs differ by up to"),
    "an input that is detached": (
        lambda: hooked(nn.LSTM(3, 4), lambda m, a: (a[0].detach(),), before=True),
        "the gradients of its inputs differ",
    ),
    "a hook": (lambda: hooked(nn.LSTM(3, 4), lambda *a: (a[-1][0] * 2, a[-1][1])), "it has forward hooks"),
    "a pre-hook": (lambda: hooked(nn.LSTM(3, 4), lambda m, a: (a[0] + 1,), before=True), "it has forward hooks"),
    "a patched forward": (lambda: patched(nn.LSTM(3, 4)), "its forward was replaced"),
    "dropout of one's own": (lambda: OutputDropout(3, 4), r"something else at every call.*network\.eval\(\)"),
    "dropped weights": (lambda: WeightDrop(3, 4), r"something else at every call.*network\.eval\(\)"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("measure", [lx.gradient_flow, lx.unroll, lx.path_flows, lx.step_contributions])
def test_what_computes_something_else_is_refused_by_name(measure, name):
    make, message = REFUSED[name]
    network, state = make(), torch.random.get_rng_state()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    attributes = set(vars(network))
    with pytest.raises(ValueError, match=message):
        measure(network, X)
    with pytest.raises(ValueError, match=message):
        lx.bias_map(network, X, biases=(0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert set(vars(network)) == attributes
    assert all(torch.equal(before[key], tensor) for key, tensor in network.state_dict().items())


HARMLESS = {
    "a subclass": lambda: Renamed(3, 4),
    "a subclass that returns its output": lambda: OutputOnly(3, 4),
    "dropout in evaluation": lambda: OutputDropout(3, 4).eval(),
    "dropped weights in evaluation": lambda: WeightDrop(3, 4).eval(),
    "a hook that looks": lambda: hooked(nn.LSTM(3, 4), lambda *a: None),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_computes_the_same_is_measured(name):
    network = HARMLESS[name]()
    twin = nn.LSTM(3, 4)
    twin.load_state_dict({key: getattr(network, key).detach() for key in twin.state_dict()})
    assert peculiarities(network)
    flow = lx.gradient_flow(network, X)
    assert torch.equal(flow.log10_hidden, lx.gradient_flow(twin, X).log10_hidden)
    assert flow.architecture == "lstm"
    packed = rnn.pack_padded_sequence(X, [20, 9])
    torch.testing.assert_close(
        lx.gradient_flow(network, packed).log10_hidden, lx.gradient_flow(twin, packed).log10_hidden, equal_nan=True
    )


def test_hooks_of_all_modules_are_seen():
    handle = nn.modules.module.register_module_forward_hook(lambda module, args, came: (came[0] + 1, *came[1:]))
    try:
        with pytest.raises(ValueError, match="hooks are set for all modules"):
            lx.gradient_flow(nn.LSTM(3, 4), X)
    finally:
        handle.remove()


def test_plain_networks_have_no_peculiarity():
    for kind in KINDS:
        assert peculiarities(kind(3, 4, 2, bidirectional=True)) == []
        assert peculiarities(copy.deepcopy(kind(3, 4))) == []
        assert peculiarities(kind(3, 4).double().float()) == []
    replaced = nn.LSTM(3, 4)
    replaced.weight_hh_l0 = nn.Parameter(torch.zeros(16, 4))
    assert peculiarities(replaced) == []
