"""Settings in words: every setting has some, in both languages, and captions say what a reader of a paper needs."""

import re

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.gradients import GradientsView, gradients
from lstm_explorer.exhibits.words import caption, difference_words, setting_words, settings_line
from lstm_explorer.locales import use_language
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment

DEFAULTS = lx.Settings()


def of(architecture="lstm", **settings):
    return Experiment(architecture=architecture, settings=lx.Settings(**settings))


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", schema(Settings))
def test_every_setting_and_choice_has_words_without_codes(name, language):
    use_language(language)
    try:
        for value in schema(Settings)[name].options or [getattr(DEFAULTS, name)]:
            words = setting_words(name, value)
            assert "_" not in words
            assert language == "en" or name == "dtype" or re.search("[가-힣]|[TH] = ", words)
    finally:
        use_language("en")


def test_only_what_the_network_reads_and_others_have_otherwise_sets_it_apart():
    assert difference_words(of(forget_bias=5), [of(), of(forget_bias=1)]) == "forget bias 5"
    assert difference_words(of(forget_bias=-3), [of(seed=2)]) == "first seed 0, forget bias −3"
    assert difference_words(of("gru", forget_bias=5), [of()]) == ""
    assert difference_words(of(), [of(), of()]) == ""


def test_the_caption_has_sizes_seeds_input_loss_and_band():
    settings = lx.Settings(sequence_length=30, hidden_size=6, num_seeds=4, batch_size=2, input_kind="sine")
    pin = Experiment(architecture="gru", settings=settings.replace(update_bias=1.0), name="my pin")
    text = caption(gradients(DirectRunner(), settings, GradientsView(), [pin]))
    for words in (
        "T = 30 steps, H = 6 units", "first seed 0, seeds: 4", "input: ", "the sum of the last hidden state h_T",
        "medians over seeds and samples (4 × 2), bands the quartiles", "my pin: update bias 1",
        f"PyTorch {torch.__version__.partition('+')[0]}",
    ):  # fmt: skip
        assert words in text
    assert "the sum of all hidden states" in caption(
        gradients(DirectRunner(), settings.replace(loss="every"), GradientsView())
    )


def test_the_line_is_in_the_readers_language_and_has_no_codes():
    settings = lx.Settings(sequence_length=30, hidden_size=6, forget_bias=2, recurrent_init="keras")
    exhibit = gradients(DirectRunner(), settings, GradientsView(scale="linear"))
    assert settings_line(exhibit) == (
        "T = 30 steps, H = 6 units, first seed 0, seeds: 1, Keras' initialisation, forget bias 2"
    )
    use_language("ko")
    try:
        assert "망각 편향 2" in settings_line(exhibit)
    finally:
        use_language("en")
