"""What people give, cleaned once and escaped for each place it is shown in."""

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_explorer.core.escape import cell, clean, markdown, markup, one_line

HOSTILE = st.text(st.characters(codec=None, categories=None), max_size=50)


@given(HOSTILE)
def test_a_clean_text_can_be_sent_and_stands_in_xml(text):
    clean(text).encode()
    assert ElementTree.fromstring(f"<text>{markup(text)}</text>").text in (clean(text), None)
    assert clean(clean(text)) == clean(text)


@given(HOSTILE)
def test_a_line_is_one_and_short(text):
    assert len(one_line(text, 20)) <= 20
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Price ($), Cost ($)", r"Price \(\$\), Cost \(\$\)"),
        ("*c* <d> $e$ `f` ~g~ #h", r"\*c\* \<d\> \$e\$ \`f\` \~g\~ \#h"),
        (":red[no]", r"\:red\[no\]"),
        (":material/home:", "\\:\u2060material/home\\:"),
        (":streamlit:", "\\:\u2060streamlit\\:"),
        (":+1:", "\\:\u2060\\+1\\:"),
        ("[a](http://b)", "\\[a\\]\\(http\\:\u2060//b\\)"),
        ("HTTPS://b", "HTTPS\\:\u2060//b"),
        ("www.b.c", "www\u2060\\.b\\.c"),
        ("a@b.c", "a@\u2060b\\.c"),
        ("a -> b", "a \\-\u2060\\> b"),
        ("<->", "\\<\u2060\\-\\>"),
        ("-- 1->2 9:30 x:y", "\\-\u2060\\- 1\\-\\>2 9\\:30 x\\:y"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_markdown_is_shown_as_it_stands(text, shown):
    assert markdown(text) == shown


def test_markup_is_shown_as_it_stands():
    assert markup('<a href="x">&') == "&lt;a href=&quot;x&quot;&gt;&amp;"


@pytest.mark.parametrize("text", ["=1", "+1", "-x", "@a", "\t=1", "\r=1", " =1", "＝1", "－1"])
def test_a_formula_is_a_text_in_a_spreadsheet(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("parts", [";", "\t", "\n"])
def test_a_formula_is_none_behind_what_parts_cells_elsewhere(parts):
    for behind in ("=1", " +1", "@b", "＠b"):
        assert cell(f"a{parts}{behind}") == f"a{parts}'{behind}"


def test_other_cells_are_as_they_are():
    assert [cell(text) for text in ("LSTM", "", "a=1", "1-2", "a, -1", "a; b")] == [
        "LSTM", "", "a=1", "1-2", "a, -1", "a; b",
    ]  # fmt: skip


def test_a_long_text_is_cut_before_it_is_read():
    assert one_line("x" * 5_000_000) == "x" * 59 + "…"
    assert one_line(" " * 5_000_000 + "x") == "…"
