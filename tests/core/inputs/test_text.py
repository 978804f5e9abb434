"""A text, character by character: one vector for each character, however it was typed."""

import unicodedata

import pytest
import torch

from lstm_explorer.core.inputs import make_inputs, step_labels
from lstm_explorer.core.settings import Settings


def test_a_character_has_one_vector_whatever_else_is_in_the_text():
    base = Settings(input_kind="text", dtype="float64")
    alone, among = (make_inputs(base.replace(text=text)) for text in ("가", "x가나가"))
    assert torch.equal(among[1], alone[0])
    assert torch.equal(among[3], alone[0])
    assert not torch.equal(among[2], alone[0])
    assert not torch.equal(make_inputs(base.replace(text="가", seed=1)), alone)


def test_character_vectors_are_standard_normal():
    text = "".join(chr(code) for code in range(0xAC00, 0xAC00 + 2000))
    vectors = make_inputs(Settings(input_kind="text", text=text, sequence_length=2000, dtype="float64"))
    assert vectors.mean().item() == pytest.approx(0, abs=0.03)
    assert vectors.var().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("text", ["한국어", "café"])
def test_composed_and_decomposed_text_read_the_same(text):
    composed, decomposed = (
        Settings(input_kind="text", text=unicodedata.normalize(form, text)) for form in ("NFC", "NFD")
    )
    assert composed.text != decomposed.text
    assert torch.equal(make_inputs(decomposed), make_inputs(composed))
    assert step_labels(decomposed) == list(text)
