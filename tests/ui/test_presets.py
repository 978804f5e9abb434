"""Presets: each sets everything that another could have changed, is legal, and has a note."""

import re

import pytest

import lstm_explorer as lx
from lstm_explorer.ui.limits import page_limits
from lstm_explorer.ui.presets import preset_note, preset_options

PRESETS = preset_options(lx.Settings())


@pytest.mark.parametrize("before", PRESETS)
@pytest.mark.parametrize("code", PRESETS)
def test_a_preset_looks_the_same_after_any_other(code, before):
    changes = PRESETS[code][1]
    after = lx.Settings().replace(**PRESETS[before][1]).replace(**changes)
    settings = lx.Settings().replace(**changes)
    reads_chrono = settings.recurrent_init == "chrono"
    assert after.replace(chrono_max=100) == settings.replace(chrono_max=100)
    assert not reads_chrono or after.chrono_max == settings.chrono_max


@pytest.mark.parametrize("code", PRESETS)
def test_a_preset_is_legal_on_the_first_page_and_has_a_name_and_a_note(code):
    name, changes = PRESETS[code]
    limits = page_limits("start")
    settings = lx.Settings().replace(**changes)
    assert all(limits[key].low <= getattr(settings, key) <= limits[key].high for key in changes if key in limits)
    assert name
    assert preset_note(code, settings).endswith(".")


def test_chrono_remembers_for_the_whole_sequence():
    for steps, longest in ((500, 500), (2, 3)):
        assert preset_options(lx.Settings(sequence_length=steps))["chrono"][1]["chrono_max"] == longest


def test_both_vectors_filled_with_one_are_a_bias_of_two():
    network = lx.build_network("lstm", lx.Settings(**PRESETS["both"][1]))
    block = slice(32, 64)
    assert set(network.bias_ih_l0[block].tolist()) == {1.0} == set(network.bias_hh_l0[block].tolist())


def test_no_preset_has_no_note():
    assert preset_note(None, lx.Settings()) == ""


def test_a_note_says_what_is_set_and_nothing_that_must_be_measured():
    for code in ("keeps", "pytorch", "forget1", "forget5", "both", "keras", "closed"):
        settings = lx.Settings().replace(**PRESETS[code][1])
        assert f"about {float(lx.theory.forget_gate(settings.forget_bias)):.2g} " in preset_note(code, settings)
    for code in PRESETS:
        note = preset_note(code, lx.Settings().replace(**PRESETS[code][1]))
        assert not re.search("explode|vanish|arrive|survive|gradient", note)
