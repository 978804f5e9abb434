"""The lesson is whole: every chapter in every language, with a figure, a question that has an answer, and sources."""

from __future__ import annotations

import math
import re

import pytest

from lstm_explorer.core.sources import SOURCES
from lstm_explorer.exhibits import lesson
from lstm_explorer.exhibits.lesson import CODES, FOLDER, Guess, Option, Question, chapters, filled, read_words
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.locales import LANGUAGES

CHOICE = Question(
    finds="arrives", of="rnn", changes={}, guess=None,
    options=(Option("dies", -math.inf, -2), Option("half", -2, 0), Option("more", 0, math.inf)),
)  # fmt: skip
GUESSED = Question(finds="arrives", of="rnn", changes={}, options=(), guess=Guess(-12, 0, 0.5, 1.0, "power"))
WORDS = "# Title\n\nText.\n\n## Predict\n\nHow much?\n\n1. Little.\n2. Half,\n   or so.\n3. More.\n\n"
SAID = "## Said\n\n1. One.\n2. Two.\n3. Three.\n\nConclusion.\n"


@pytest.mark.parametrize("code", CODES)
def test_a_chapter_has_every_language_a_figure_a_question_and_sources(code):
    chapter = chapters()[code]
    assert set(chapter.words) == set(LANGUAGES)
    assert chapter.figure in EXHIBITS
    assert chapter.question.changes
    assert chapter.sources
    assert set(chapter.sources) <= set(SOURCES)
    assert all(all(words) for words in chapter.words.values() if chapter.question.options)


@pytest.mark.parametrize("code", CODES)
def test_languages_name_the_same_terms_and_numbers(code):
    """Figure, settings, controls and answer stand once, in the file of facts; what words could differ in is this."""

    def named(words, pattern):
        text = "\n".join([words.text, words.question, *words.options, *words.remarks, words.conclusion])
        return sorted(set(re.findall(pattern, text)))

    words = chapters()[code].words
    for pattern in (r"words\.\w+\.md#([\w-]+)", r"(?<![\w}^_])\{(\w+)\}", r"\$\$(.+?)\$\$"):
        assert named(words["en"], pattern) == named(words["ko"], pattern)
    for language, own in words.items():
        assert set(named(own, r"words\.(\w+)\.md")) <= {language}
    numbers = r"(?<![\w}^_\\])\{(\w+)\}"
    assert not re.findall(numbers, words["en"].text + words["ko"].text)  # they are read before anything is measured


def test_korean_gives_the_english_terms_first_and_speaks_politely():
    first = {}
    for code in CODES:
        words = chapters()[code].words["ko"]
        for shown, term in re.findall(r"\[([^\]]+)\]\(words\.ko\.md#([\w-]+)\)", words.text + words.conclusion):
            first.setdefault(term, shown)
        for sentence in re.findall(r"[가-힣]+(?=[.]\s)", words.text + " " + words.conclusion + " "):
            assert re.search(r"(니다|세요|시다|군요)$", sentence), f"{code}: {sentence}"
    unnamed = {term for term, shown in first.items() if term not in shown.lower().replace(" ", "-")}
    assert unnamed == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_option_gives_itself_away_by_its_length(language):
    for code, chapter in chapters().items():
        lengths = [len(option) for option in chapter.words[language].options]
        assert not lengths or max(lengths) <= 1.5 * min(lengths), code


def test_the_order_of_the_chapters_is_that_of_their_files():
    names = sorted(
        (one.name for one in FOLDER.iterdir() if one.name.endswith(".toml")), key=lambda n: int(n.split("-")[0])
    )
    assert [name.removesuffix(".toml").partition("-")[2] for name in names] == list(CODES)
    assert [int(name.partition("-")[0]) for name in names] == list(range(1, len(names) + 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WORDS, "expected three headings"),
        (WORDS.replace("3. More.\n", "") + SAID, "expected texts, and 3 options and 3 remarks"),
        (WORDS + SAID.replace("3. Three.\n", ""), "3 remarks"),
        (WORDS + SAID.replace("Conclusion.\n", ""), "expected texts"),
        (WORDS.replace("Text.", "") + SAID, "expected texts"),
    ],
)
def test_words_that_lack_a_part_are_refused(text, message, tmp_path, monkeypatch):
    (tmp_path / "1-x.en.md").write_text(text, encoding="utf-8")
    monkeypatch.setattr(lesson, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=message):
        read_words("1-x", "en", CHOICE)


def test_words_are_read_by_their_order(tmp_path, monkeypatch):
    (tmp_path / "1-x.en.md").write_text(WORDS + SAID, encoding="utf-8")
    monkeypatch.setattr(lesson, "FOLDER", tmp_path)
    words = read_words("1-x", "en", CHOICE)
    assert words == (
        "Title",
        "Text.",
        "How much?",
        ("Little.", "Half, or so.", "More."),
        ("One.", "Two.", "Three."),
        "Conclusion.",
    )


@pytest.mark.parametrize(
    "facts",
    [
        'figure = "no_figure"\nsources = ["gers2000"]\n',
        'figure = "gradients"\nsources = []\n',
        'figure = "gradients"\nsources = ["nobody1900"]\n',
        'figure = "gradients"\nsources = ["gers2000"]\n[controls]\n[question]\nfinds = "arrives"\nchanges = {}\n',
        'figure = "gradients"\nsources = ["gers2000"]\n[controls]\n[question]\nfinds = "arrives"\n'
        "changes = { forget_bias = 1.0 }\nguess = { low = 0, high = 1, step = 0.1, within = 0.1, unit = 'share' }\n",
    ],
)
def test_facts_that_do_not_fit_are_refused(facts, tmp_path, monkeypatch):
    (tmp_path / "1-x.toml").write_text(facts, encoding="utf-8")
    monkeypatch.setattr(lesson, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="expected"):
        lesson._read("x", "1-x")


def test_a_choice_is_right_where_its_range_holds_what_was_measured():
    assert [CHOICE.is_right(code, -1.0) for code in ("dies", "half", "more")] == [False, True, False]
    assert [CHOICE.right(value) for value in (-2.5, -2.0, 0.0)] == [0, 1, 2]
    assert CHOICE.takes("half")
    assert not CHOICE.takes("3")


def test_a_guess_is_too_low_close_or_too_high():
    assert [GUESSED.place(answer, -5.2) for answer in ("-7", "-6", "-4.5", "-4")] == [0, 1, 1, 2]
    assert [GUESSED.is_right(answer, -5.2) for answer in ("-7", "-6", "-4")] == [False, True, False]
    assert [GUESSED.takes(answer) for answer in ("-7", "-13", "half")] == [True, False, False]


def test_only_what_was_measured_is_filled_in():
    assert filled("$W_{hh}$ falls to {share}, {other}", {"share": "3%"}) == "$W_{hh}$ falls to 3%, {other}"
