"""Every setting and value has a name in both languages."""

import re

import pytest

from lstm_explorer.figures.setting_names import setting_title, value_title
from lstm_explorer.locales import use_language
from lstm_explorer.runs.sweeps.table import SETTINGS


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_setting_has_a_name(language):
    use_language(language)
    try:
        names = {name: setting_title(name) for name in SETTINGS}
    finally:
        use_language("en")
    assert len(set(names.values())) == len(names)
    assert language == "en" or all(re.search("[가-힣]", title) for title in names.values())


def test_values_are_written_as_people_write_them():
    assert value_title("task", "adding") == "Adding two marked numbers"
    assert value_title("split_biases", True) == "yes"
    assert value_title("forget_bias", -1.5) == "−1.5"
    assert value_title("sequence_length", 200) == "200"
    assert value_title("recurrent_init", "chrono") == "chrono"
