"""The page that works offline: its texts are escaped, its bold text is closed, and its language is named."""

from dataclasses import replace

import pytest

import lstm_explorer as lx
from lstm_explorer.export.interactive import chart_config, document, figure_block, text_block, to_html
from lstm_explorer.figures.theme import THEMES
from lstm_explorer.locales import use_language


@pytest.fixture
def exhibit(exhibit_of):
    exhibit = exhibit_of("gradients", lx.Settings(sequence_length=6, hidden_size=3))
    return replace(
        exhibit, title="a < b", summary="**x** & y  \n**z**. \\<b\\>![i](http://a)", how_to_read="f < 1", alt='"quoted"'
    )


def test_texts_are_escaped_and_bold_where_they_say_so(exhibit):
    block = text_block(exhibit)
    assert "<p><strong>x</strong> &amp; y<br>\n<strong>z</strong>. &lt;b&gt;![i](http://a)</p>" in block
    assert "f &lt; 1" in block


def test_a_picture_has_its_description(exhibit):
    assert '<figure role="img" aria-label="&quot;quoted&quot;">' in figure_block(exhibit, "light")


def test_title_and_caption_are_there_where_they_are_wanted(exhibit):
    with_both = to_html(exhibit, caption=True).decode()
    assert "<h1>a &lt; b</h1>" in with_both
    assert 'class="settings">T = 6 steps' in with_both
    without = to_html(exhibit, title=False).decode()
    assert "<h1>" not in without
    assert 'class="settings">' not in without


@pytest.mark.parametrize("theme", THEMES)
def test_a_document_has_its_theme_and_language(theme):
    use_language("ko")
    try:
        page = document("t", "<p>b</p>", theme)
    finally:
        use_language("en")
    assert '<html lang="ko">' in page
    assert f"background: {THEMES[theme].background}" in page
    assert f"color-scheme: {theme}" in page


def test_the_chart_s_bar_uploads_nothing():
    config = chart_config("journey")
    assert (config["showSendToCloud"], config["plotlyServerURL"]) == (False, "")
    assert config["toImageButtonOptions"]["filename"] == "lstm-explorer-journey"
