"""The language that a browser asks for."""

from __future__ import annotations

import pytest

from lstm_explorer.ui.language import language_of_locale


@pytest.mark.parametrize(
    ("locale", "code"), [("ko-KR", "ko"), ("ko", "ko"), ("en-GB", "en"), ("kok-IN", "en"), (None, "en")]
)
def test_language_of_locale(locale, code):
    assert language_of_locale(locale) == code
