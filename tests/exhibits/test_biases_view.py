"""The view of Gate biases is limited to what the network has."""

from lstm_explorer.exhibits.biases_view import BiasesView, gate_of, other_gate, quantity_of


def test_a_gate_that_the_network_lacks_becomes_the_one_that_keeps():
    view = BiasesView(network="gru", gate="forget", other="output")
    assert (gate_of(view), other_gate(view)) == ("update", "reset")
    assert quantity_of(view.replace(path="cell_path")) == "hidden"
    assert other_gate(BiasesView(gate="input", other="input")) == "forget"
