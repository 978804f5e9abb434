"""The page Your network in a real browser: a file goes in, what is said is what is measured, and a file comes out."""

from __future__ import annotations

import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.exhibits.your_network_words import mend_sentences, reach_summary


def test_a_checkpoint_goes_in_and_comes_out_mended(server, page, settled, tmp_path):
    torch.manual_seed(0)
    lstm, path = nn.LSTM(3, 8), tmp_path / "mine.pt"
    torch.save({"model": {f"encoder.{name}": weight for name, weight in lstm.state_dict().items()}}, path)
    page.goto(f"{server}/your_network?origin=file&sequence_length=60&needs_lag=50")
    settled(page)
    page.locator(".st-key-checkpoint_file input[type=file]").set_input_files(path)
    page.get_by_text("mine.pt, PyTorch").wait_for(timeout=60_000)
    inputs = lx.make_inputs(lx.Settings(sequence_length=60, batch_size=4, input_size=3))
    diagnosis = lx.diagnose(lstm, inputs, needs_lag=50)
    page.get_by_text(plain(reach_summary(diagnosis, 0))).wait_for()
    page.get_by_text(plain(mend_sentences(diagnosis, has_bias=True))).wait_for()
    with page.expect_download() as download:
        page.locator(".st-key-mended_file button").click()
    assert download.value.suggested_filename == "mine-mended.pt"
    mended = lx.load_network(download.value.path().read_bytes()).network
    changes = lx.mended_biases(lstm, diagnosis.mend)
    for name, weight in {**lstm.state_dict(), **changes}.items():
        assert torch.equal(getattr(mended, name), weight)
    page.reload()  # the file stays in the session's memory alone; the address only says which it was
    page.get_by_text("an address cannot carry it").first.wait_for(timeout=60_000)


def plain(text):
    return text.replace("**", "")
