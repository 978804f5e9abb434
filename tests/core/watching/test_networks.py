import pytest
from torch import nn

from lstm_explorer.core.watching.networks import networks_to_watch


def a_model(part):
    model = nn.Module()
    model.encoder = part
    return model


class Compiled(nn.Module):
    """What torch.compile returns; its own class takes seconds to import."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module


def compiled_in_place(part):
    part._compiled_call_impl = part._call_impl  # as part.compile() sets it
    return part


REFUSED = {
    "no module": ("lstm", None, TypeError, "model is a str: expected a torch.nn.Module"),
    "none": (nn.Linear(1, 1), None, ValueError, "model has no recurrent network: network is a Linear: expected "),
    "a cell": (a_model(nn.LSTMCell(2, 3)), None, ValueError, "LSTMCell by hand.*lstm_explorer.cell_gradient_flow"),
    "a cell by name": (
        nn.ModuleList([nn.GRU(2, 3), nn.GRUCell(2, 3)]), ["1"], ValueError,
        "watch names '1': .* '0'; .*GRUCell by hand",
    ),
    "no such name": (
        a_model(nn.GRU(2, 3)), ["decoder"], ValueError,
        "watch names 'decoder': expected recurrent networks of this model, 'encoder'; there is nothing of that name",
    ),
    "a name alone": (nn.GRU(2, 3), "model", TypeError, r"watch is 'model': expected a list of names, such as \[\"enc"),
    "no name": (nn.GRU(2, 3), [], ValueError, "watch is empty: expected names"),
    "many devices": (
        a_model(nn.DataParallel(nn.GRU(2, 3))), None, ValueError, r"Watch and train model\.encoder\.module",
    ),
    "compiled": (a_model(Compiled(nn.GRU(2, 3))), None, ValueError, r"Watch and train model\.encoder\._orig_mod"),
    "all compiled": (Compiled(a_model(nn.GRU(2, 3))), None, ValueError, r"Watch and train model\._orig_mod"),
    "compiled in place": (
        a_model(compiled_in_place(nn.GRU(2, 3))), None, ValueError, r"model\.encoder is compiled by its method",
    ),
    "drops units unseen": (
        a_model(nn.LSTM(2, 3, 2, dropout=0.5, device="meta")), None, ValueError,
        r"encoder drops units.* on meta: .*Set encoder\.dropout = 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_watched_is_refused_with_the_way_out(case):
    model, names, kind, said = REFUSED[case]
    with pytest.raises(kind, match=said):
        networks_to_watch(model, names)


def test_networks_go_by_their_names():
    encoder, decoder = nn.LSTM(2, 3), nn.GRU(2, 3)
    model = nn.ModuleDict({"encoder": nn.ModuleDict({"lstm": encoder}), "decoder": decoder, "again": encoder})
    assert networks_to_watch(model) == {"encoder.lstm": encoder, "decoder": decoder}
    assert networks_to_watch(model, ["again"]) == {"again": encoder}
    assert networks_to_watch(decoder) == networks_to_watch(decoder, ["model"]) == {"model": decoder}
    assert networks_to_watch(nn.LSTM(2, 3, dropout=0.0)).keys() == {"model"}
