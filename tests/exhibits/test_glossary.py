"""The glossary: the same terms in both languages, and every link of a chapter leads to one."""

import re

import pytest

from lstm_explorer.exhibits.glossary import glossary, terms_in, with_hover
from lstm_explorer.exhibits.lesson import chapters
from lstm_explorer.locales import LANGUAGES


def test_languages_define_the_same_terms():
    assert list(glossary("en")) == list(glossary("ko"))
    assert {"hidden-state", "cell-state", "gate", "jacobian", "half-life", "long-term-dependency"} <= set(
        glossary("en")
    )
    fields_terms = ("은닉 상태", "셀 상태", "망각 게이트", "기울기 소실", "기울기 폭주", "장기 의존성")
    assert all(any(text.startswith(f"**{term}**") for text in glossary("ko").values()) for term in fields_terms)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_leads_to_a_term_and_every_term_is_used(language):
    used = {
        term
        for chapter in chapters().values()
        for part in (chapter.words[language].text, chapter.words[language].question, chapter.words[language].conclusion)
        for term in terms_in(part)
    }
    assert used == set(glossary(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_definition_shows_by_pointing_and_the_link_leads_to_the_terms(language):
    text = with_hover(f"the [gate](words.{language}.md#gate) opens", language, anchor="words")
    definition = re.fullmatch(r'the \[gate\]\(#words "([^"]+)"\) opens', text)[1]
    assert "1" in definition
    assert "*" not in definition
    assert terms_in(f"[a](words.{language}.md#gate) [b](words.{language}.md#gate)") == ("gate",)
