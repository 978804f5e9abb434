"""path_flows against autograd through LSTM cells written out by hand, with ``detach`` before the gates that are cut."""

import math

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.gradients import paths

GATES = ("input", "forget", "candidate", "output")
TERMS = ("cell", *GATES, "loss")

SETTINGS = [
    # no bias is the default's, so that no path is negligible
    lx.Settings(sequence_length=15, hidden_size=5, input_size=3, forget_bias=1, recurrent_gain=3, dtype="float64"),
    lx.Settings(
        sequence_length=12, hidden_size=4, batch_size=3, num_seeds=2, num_layers=2, forget_bias=2, input_bias=0.5,
        candidate_bias=-0.3, output_bias=1, recurrent_gain=4, seed=7, dtype="float64",
    ),
    lx.Settings(sequence_length=9, hidden_size=1, num_seeds=3, recurrent_init="chrono", dtype="float64"),
    lx.Settings(sequence_length=1, hidden_size=3, batch_size=2, recurrent_gain=5, dtype="float64"),
]  # fmt: skip


def by_hand(settings, cut=()):
    """Return the last layer's ``hidden, cell, preactivations`` with ``.grad``; ``h`` is detached before the cut gates.

    Shares no code with the core: PyTorch's own LSTM gives the layers below, the equations of torch.nn.LSTM the last.
    """
    network, x = lx.build_network("lstm", settings), lx.make_inputs(settings)
    for layer in range(settings.num_layers):
        weight_ih, weight_hh, bias_ih, bias_hh = (part.detach() for part in network.all_weights[layer])
        cut_here = cut if layer == settings.num_layers - 1 else ()
        h = torch.zeros(x.shape[1], settings.hidden_size, dtype=x.dtype, requires_grad=True)
        c = torch.zeros_like(h, requires_grad=True)
        hidden, cell, preactivations = [h], [c], []
        for step in x:
            parts = []
            blocks = [part.chunk(4) for part in (weight_ih, weight_hh, bias_ih, bias_hh)]
            for gate, w, u, b, d in zip(GATES, *blocks, strict=True):
                before = h.detach() if gate in cut_here else h
                part = step @ w.T + b + before @ u.T + d
                if part.requires_grad:
                    part.retain_grad()
                parts.append(part)
            i, f, g, o = (torch.tanh(p) if n == 2 else torch.sigmoid(p) for n, p in enumerate(parts))
            c = f * c + i * g
            h = o * torch.tanh(c)
            c.retain_grad()
            h.retain_grad()
            hidden.append(h)
            cell.append(c)
            preactivations.append(parts)
        x = torch.stack(hidden[1:]).detach()
    sum(h.sum() for h in (hidden[-1:] if settings.loss == "last" else hidden[1:])).backward()
    return hidden, cell, preactivations, weight_hh


def cell_norms(settings, cut=()):
    """Return the norms of dL/dc_t, ``(R, T + 1, B)``."""
    runs = []
    for r in range(settings.num_seeds):
        cell = by_hand(settings.replace(seed=settings.seed + r, num_seeds=1), cut)[1]
        runs.append(torch.stack([c.grad.norm(dim=-1) for c in cell]))
    return torch.stack(runs)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("number", range(len(SETTINGS)))
def test_paths_are_what_autograd_finds_with_the_hidden_state_detached(number, loss):
    settings = SETTINGS[number].replace(loss=loss)
    flows = lx.path_flows(settings)
    measured = {(): flows.total, GATES: flows.cell_alone}
    measured |= {(gate,): flows.without[gate] for gate in GATES}
    measured |= {tuple(other for other in GATES if other != gate): flows.only[gate] for gate in GATES}
    assert len(measured) == 10
    for cut, norms in measured.items():
        # 15 steps of float64 rounding, in sums that partly cancel
        torch.testing.assert_close(
            10**norms, cell_norms(settings, cut), rtol=1e-9, atol=0.0, msg=lambda m, c=cut: f"{c}: {m}"
        )


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("number", range(len(SETTINGS)))
def test_split_is_made_of_autograds_vectors(number, loss):
    settings = SETTINGS[number].replace(loss=loss)
    flows = lx.path_flows(settings)
    torch.testing.assert_close(sum(flows.split.values()), torch.ones_like(flows.total), rtol=1e-13, atol=0.0)
    steps = settings.sequence_length
    for r in range(settings.num_seeds):
        hidden, cell, preactivations, weight_hh = by_hand(settings.replace(seed=settings.seed + r, num_seeds=1))
        for t in range(steps + 1):
            total = cell[t].grad
            zero = torch.zeros_like(total)
            # h_0 and c_0 are two initial states; later the output gate shows the cell in the hidden state
            tanh_slope = 1 - torch.tanh(cell[t]) ** 2
            shown = zero if t == 0 else (hidden[t] / torch.tanh(cell[t]) * tanh_slope).detach()
            vectors = dict.fromkeys(TERMS, zero)
            if t < steps:
                blocks = zip(GATES, preactivations[t], weight_hh.chunk(4), strict=True)
                vectors |= {gate: shown * (part.grad @ w) for gate, part, w in blocks}
                vectors["cell"] = torch.sigmoid(preactivations[t][1]).detach() * cell[t + 1].grad
            if t == steps or (loss == "every" and t > 0):
                vectors["loss"] = shown * torch.ones_like(total)
            torch.testing.assert_close(sum(vectors.values()), total, rtol=1e-9, atol=1e-14)
            for term, vector in vectors.items():
                share = (vector * total).sum(-1) / (total * total).sum(-1)
                torch.testing.assert_close(flows.split[term][r, t], share, rtol=1e-8, atol=1e-11)


def test_total_and_cell_alone_are_those_of_seed_flows():
    settings = lx.Settings(sequence_length=40, num_layers=2, num_seeds=3, batch_size=2, forget_bias=2)
    flows, known = lx.path_flows(settings), lx.seed_flows(settings, architecture="lstm")
    assert flows.total.dtype == torch.float32
    torch.testing.assert_close(flows.total, known.log10_cell[:, -1])
    torch.testing.assert_close(flows.cell_alone, known.log10_cell_path[:, -1])


def test_paths_go_on_past_the_float_range():
    # Zero inputs and biases leave a state of zero: i = f = o = 1/2, g = 0. Then h reaches the cell by the candidate
    # alone, o i W_g a step: with the identity times a gain, every step is exactly f + gain / 4.
    rest = lx.Settings(
        sequence_length=3000, hidden_size=3, input_kind="zeros", recurrent_init="identity", dtype="float64"
    )
    for gain, step in ((0.0, 0.5), (2.0, 1.0), (38.0, 10.0)):
        flows = lx.path_flows(rest.replace(recurrent_gain=gain))
        lag = torch.arange(3000, -1, -1, dtype=torch.float64)
        expected = lag[1:] * math.log10(step)  # c_0 is not shown by any output gate: only f leads to it
        for norms in (flows.total, flows.only["candidate"], flows.without["input"], flows.without["output"]):
            torch.testing.assert_close(norms[0, 1:, 0] - norms[0, -1, 0], expected, rtol=1e-10, atol=1e-10)
        for norms in (flows.cell_alone, flows.only["forget"], flows.without["candidate"]):
            torch.testing.assert_close(norms[0, :, 0] - norms[0, -1, 0], lag * math.log10(0.5), rtol=1e-10, atol=1e-10)
        shares = {term: share[0, 1500, 0].item() for term, share in flows.split.items()}
        by_cell = 0.5 / step
        assert shares == pytest.approx(dict.fromkeys(TERMS, 0.0) | {"cell": by_cell, "candidate": 1 - by_cell})


@pytest.mark.parametrize("loss", ["last", "every"])
def test_shares_made_in_several_windows_are_the_same(monkeypatch, loss):
    settings = SETTINGS[1].replace(loss=loss)
    together = lx.path_flows(settings)
    monkeypatch.setattr(paths, "window_of", lambda numbers: 5)  # of 13 steps
    apart = lx.path_flows(settings)
    for term in TERMS:
        torch.testing.assert_close(together.split[term], apart.split[term], rtol=1e-12, atol=1e-12)


def test_the_steep_gradient_keeps_its_shares():
    # 10^-1000 and less: shares must come from the same numbers at every scale
    settings = lx.Settings(sequence_length=400, forget_bias=-8, recurrent_gain=0.01, num_seeds=2, dtype="float64")
    flows = lx.path_flows(settings)
    assert flows.total[:, 0].max() < -1000
    assert torch.stack(list(flows.split.values())).isfinite().all()
    torch.testing.assert_close(sum(flows.split.values()), torch.ones_like(flows.total), rtol=1e-12, atol=0.0)


def test_no_gradient_is_minus_infinity_and_has_no_shares():
    # c grows by 1 a step; from 373 on 1 - tanh^2 is no float64 any more and h shows nothing of the cell
    full = lx.Settings(sequence_length=400, hidden_size=2, input_bias=100, forget_bias=100, candidate_bias=100)
    flows = lx.path_flows(full.replace(input_kind="zeros", recurrent_gain=0))
    assert flows.total[0, :, 0].tolist() == [-math.inf] * 401
    assert flows.split["cell"].dtype == torch.float32
    assert all(share.isnan().all() for share in flows.split.values())


def test_keras_issue_16151_first_the_cell_then_the_hidden_state():
    # steps of sigma(1) = 0.73 near the loss, 0.85 further back: the hidden state's paths take over
    settings = lx.Settings(sequence_length=60, forget_bias=1, num_seeds=11)
    flows = lx.path_flows(settings)
    factors = 10 ** (flows.total[:, :-1] - flows.total[:, 1:]).median(dim=0).values[:, 0]
    assert factors[-1] == pytest.approx(0.735, abs=0.01)
    assert factors[1:40].median() == pytest.approx(0.85, abs=0.015)
    by_hidden = sum(flows.split[gate] for gate in GATES).median(dim=0).values[:, 0]
    assert by_hidden[-2] < 0.05
    assert by_hidden[1:30].median() > 0.1
    gap = (flows.total - flows.cell_alone).median(dim=0).values[:, 0]
    assert gap[0] > gap[30] > gap[-2] > -0.1


def test_frame_holds_the_numbers_of_the_result():
    settings = SETTINGS[1]
    flows = lx.path_flows(settings)
    frame = flows.to_frame()
    assert list(frame) == ["quantity", "through", "replica", "step", "lag", "sample", "log10_norm", "share"]
    assert len(frame) == (10 + 6) * 2 * 13 * 3
    one = frame.query("replica == 1 and step == 4 and sample == 2").set_index(["quantity", "through"])
    assert one["lag"].unique().tolist() == [8]
    assert one.loc[("without", "output"), "log10_norm"] == flows.without["output"][1, 4, 2].item()
    assert one.loc[("split", "loss"), "share"] == flows.split["loss"][1, 4, 2].item()
    assert one.loc[("total", ""), "log10_norm"] == flows.total[1, 4, 2].item()
    assert np.array_equal(frame["share"].isna(), frame["quantity"] != "split")


def test_wrong_table_is_refused():
    with pytest.raises(ValueError, match="table is None"):
        lx.path_flows(lx.Settings(input_kind="csv"))
