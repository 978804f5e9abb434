"""make_inputs against its promises: distributions, alignment of windows, and streams that do not repeat."""

import math
import unicodedata

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import example, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from lstm_explorer.core.datasets import load_digits, load_sunspots
from lstm_explorer.core.inputs.kinds import LABEL_TEMPLATES, make_inputs, step_labels
from lstm_explorer.core.settings import Settings, choices

OWN_LENGTH = {"text": 4, "digit": 64, "sunspots": 309, "csv": 10}
TABLE = np.arange(20.0).reshape(10, 2) ** 2


def table_for(kind: str) -> np.ndarray | None:
    return TABLE if kind == "csv" else None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", choices("input_kind"))
@pytest.mark.parametrize("length", [1, 3, 500])
def test_shape_dtype_and_scale(kind, dtype, length):
    settings = Settings(input_kind=kind, sequence_length=length, batch_size=3, input_size=2, dtype=dtype, text="cafe")
    inputs = make_inputs(settings, table=table_for(kind))
    assert inputs.shape == (min(length, OWN_LENGTH.get(kind, length)), 3, settings.features)
    assert inputs.dtype == getattr(torch, dtype)
    tripled = make_inputs(settings.replace(input_scale=3), table=table_for(kind))
    assert torch.equal(tripled, 3 * inputs)
    assert len(step_labels(settings, table=table_for(kind))) == len(inputs)


@pytest.mark.parametrize("kind", choices("input_kind"))
def test_global_random_state_is_neither_changed_nor_read(kind):
    settings = Settings(input_kind=kind, input_size=2, batch_size=2)
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    first = make_inputs(settings, table=table_for(kind))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    torch.manual_seed(2)
    assert torch.equal(make_inputs(settings, table=table_for(kind)), first)


def test_noise_is_standard_normal():
    noise = make_inputs(Settings(sequence_length=5000, input_size=8, dtype="float64"))
    assert noise.mean().item() == pytest.approx(0, abs=0.02)  # 40,000 draws: 0.005 each
    assert noise.var().item() == pytest.approx(1, abs=0.03)
    assert (noise.abs() < 1).double().mean().item() == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("seed", [0, 5, 2**31 - 1])
def test_inputs_do_not_repeat_the_random_numbers_of_any_network(seed):
    # PyTorch's CPU generator reads 32 bits of the seed: 2**32 + seed would be the very stream of the weights.
    settings = Settings(seed=seed, sequence_length=4, input_size=16)
    weights = torch.randn(4, 1, 16, generator=torch.Generator().manual_seed(seed))
    assert not torch.equal(make_inputs(settings), weights)
    others = torch.randn(4, 1, 16, generator=torch.Generator().manual_seed((seed + 2**31) % 2**32))
    assert torch.equal(make_inputs(settings), others)


def test_another_seed_is_another_noise():
    assert not torch.equal(make_inputs(Settings(seed=0)), make_inputs(Settings(seed=1)))


def test_zeros_and_impulse():
    assert make_inputs(Settings(input_kind="zeros")).abs().sum() == 0
    impulse = make_inputs(Settings(input_kind="impulse", sequence_length=4, batch_size=2, input_size=3))
    assert torch.equal(impulse[0], torch.ones(2, 3))
    assert impulse[1:].abs().sum() == 0


def test_sine_has_its_own_period_in_every_feature_and_its_own_phase_in_every_sample():
    sine = make_inputs(Settings(input_kind="sine", sequence_length=240, batch_size=2, input_size=3, dtype="float64"))
    for feature, period in enumerate((10, 20, 30)):
        wave = sine[:, :, feature]
        torch.testing.assert_close(wave[period:], wave[:-period], rtol=0, atol=1e-12)
        torch.testing.assert_close(wave[period // 2 :], -wave[: -period // 2], rtol=0, atol=1e-12)
        assert wave[:, 0].square().mean().item() == pytest.approx(0.5, abs=1e-12)  # whole periods only
    assert (sine[:, 0] - sine[:, 1]).abs().max() > 0.1


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


def test_digit_samples_are_the_examples_of_the_class_from_the_seed_on():
    digits = load_digits()
    threes = digits.images[digits.labels == 3]
    settings = Settings(input_kind="digit", digit=3, seed=len(threes) - 1, batch_size=2, dtype="float64")
    inputs = make_inputs(settings)
    np.testing.assert_array_equal(inputs[:, 0, 0].numpy() * 16, threes[-1].ravel())
    np.testing.assert_array_equal(inputs[:, 1, 0].numpy() * 16, threes[0].ravel())
    assert inputs.min() == 0
    assert inputs.max() == 1


def test_sunspots_are_standardised_over_the_whole_series():
    whole = make_inputs(Settings(input_kind="sunspots", sequence_length=309, dtype="float64"))[:, 0, 0].numpy()
    assert whole.mean() == pytest.approx(0, abs=1e-12)
    assert whole.std() == pytest.approx(1, abs=1e-12)
    assert np.corrcoef(whole, load_sunspots()["sunspots"])[0, 1] == pytest.approx(1, abs=1e-12)
    part = make_inputs(Settings(input_kind="sunspots", sequence_length=50, batch_size=3, dtype="float64"))[
        :, :, 0
    ].numpy()
    for sample, start in enumerate((0, 129, 259)):
        np.testing.assert_allclose(part[:, sample], whole[start : start + 50], rtol=0, atol=1e-12)


def test_samples_coincide_where_the_series_is_not_longer():
    inputs = make_inputs(Settings(input_kind="text", text="abc", batch_size=4))
    assert torch.equal(inputs, inputs[:, :1].expand(-1, 4, -1))


def test_csv_columns_are_standardised_each_and_constant_ones_are_zeros():
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "flat": [0.1] * 3, "b": [1e6, 0.0, -1e6]})
    inputs = make_inputs(Settings(input_kind="csv", input_size=3, dtype="float64"), table=table)[:, 0].numpy()
    side = math.sqrt(1.5)
    np.testing.assert_allclose(inputs, [[-side, 0, side], [0, 0, 0], [side, 0, -side]], rtol=0, atol=1e-12)


@budget(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12))
@example([1.7e308, -1.7e308, 0.0])
@example([5e-324, 0.0])
@example([1.0, 1.0 + 2**-52])
def test_any_finite_column_standardises_to_mean_0_and_deviation_1_or_zeros(column):
    rows = np.array(column)[:, None]
    settings = Settings(input_kind="csv", input_size=1, dtype="float64", sequence_length=12)
    values = make_inputs(settings, table=rows)[:, 0, 0].numpy()
    assert values.mean() == pytest.approx(0, abs=1e-9)
    assert values.std() == pytest.approx(float(len(set(column)) > 1), abs=1e-9)


def test_labels_say_what_is_read():
    assert step_labels(Settings(input_kind="digit"))[9] == "pixel row 2, column 2"
    assert step_labels(Settings(input_kind="sunspots", sequence_length=2)) == ["1700", "1701"]
    assert step_labels(Settings(input_kind="csv", input_size=2), table=TABLE)[-1] == "row 10"
    assert step_labels(Settings(input_kind="noise", sequence_length=3)) == ["", "", ""]


def test_labels_can_be_translated():
    korean = {LABEL_TEMPLATES["digit"]: "{row}행 {column}열"}
    assert step_labels(Settings(input_kind="digit", sequence_length=1), translate=lambda text: korean[text]) == [
        "1행 1열"
    ]


@pytest.mark.parametrize("function", [make_inputs, step_labels])
@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        ("csv", None, "pass table="),
        ("noise", TABLE, "input_kind='noise': expected \"csv\", or leave table out"),
        ("csv", TABLE[:, 0], r"shape \(10,\): expected \(rows, columns\)"),
        ("csv", TABLE[:0], r"shape \(0, 2\): expected"),
        ("csv", np.array([[1.0, 2.0], [math.nan, 1.0]]), "not finite in row 2, column 1"),
        ("csv", pd.DataFrame({"a": ["x"], "b": [1]}), "not numbers .*expected numeric columns"),
        ("csv", np.ones((4, 3)), r"3 columns: expected input_size=2; replace\(input_size=3\)"),
    ],
)
def test_wrong_tables_are_refused_with_the_mend(function, kind, table, message):
    with pytest.raises(ValueError, match=message):
        function(Settings(input_kind=kind, input_size=2), table=table)
