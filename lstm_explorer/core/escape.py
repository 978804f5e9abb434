"""What people give, made safe to show: names, texts, cells, messages. The one place that cleans and escapes."""

from __future__ import annotations

import html
import re
import reprlib
from typing import Any

#: Characters that no text of ours holds: controls but tab and line end, halves of characters, non-characters of XML.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
#: Marks without width, and those that turn the direction: a name could rewrite the sentence around it.
_UNSEEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|$~<>:&^=])")
#: Where Streamlit makes of plain words, even of escaped ones, a link, a picture or an arrow: within http://, www.,
#: a@b.c, :smile: and :material/home:, and within "->" and its kind where they stand alone.
_COMES_ALIVE = re.compile(
    r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)|(?<=:)(?=[\w+-]+[:/])|(?<!\S[<>~-])(?<=[<>~-])(?=(?:->|[-=>])(?!\S))",
    re.IGNORECASE,
)
#: Has no width, and nothing breaks there.
_JOINER = "\u2060"
#: Where a spreadsheet would begin a formula: at the beginning of a cell, also in the wide letters of East Asia; and
#: behind what parts cells elsewhere, as the semicolon does where the comma is the decimal mark.
_FORMULA = re.compile(r"(^|[;\t\r\n])(\s*[=+\-@＝＋－＠])")
_HALF = re.compile("[\ud800-\udfff]")
#: Longest piece of what people give that a message quotes.
QUOTED = 60
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxtuple = _SHORT.maxlist = _SHORT.maxdict = 12


def short(value: Any) -> str:
    """Return what a value looks like in Python, cut where it is long: of numbers with thousands of digits too.

    Example:
        >>> short("lstm"), len(short("x" * 5_000_000))
        ("'lstm'", 80)
    """
    return clean(_SHORT.repr(value))


def whole(text: str) -> str:
    r"""Return a text with U+FFFD for half a character (a lone surrogate), which nothing can write or send.

    Example:
        >>> whole("a\ud800\t")
        'a\ufffd\t'
    """
    return _HALF.sub("\ufffd", text)


def clean(text: str) -> str:
    r"""Return a text without what no file and no browser can hold; U+FFFD stands in its place.

    Half of a character (a lone surrogate) cannot be encoded: it would fail wherever a text is written or sent.

    Example:
        >>> clean("a\ud800\x00b")
        'a\ufffd\ufffdb'
    """
    return _UNSEEN.sub("", _UNFIT.sub("\ufffd", text))


def one_line(text: str, longest: int = QUOTED) -> str:
    r"""Return a clean text in one line, cut where it is longer.

    Example:
        >>> one_line("a\n b" + "c" * 99, 8)
        'a bcccc…'
    """
    # What is far too long is cut before anything looks at each character.
    words = " ".join(clean(text[: 4 * longest + 100]).split())
    return words if len(words) <= longest and len(text) <= 4 * longest + 100 else f"{words[: longest - 1]}…"


def markdown(text: str) -> str:
    r"""Return a text as Streamlit's Markdown shows it literally: no emphasis, link, LaTeX, colour or icon.

    What becomes a link or an icon in spite of all backslashes has a mark without width inside.

    Example:
        >>> markdown("Price ($), Cost ($)"), markdown("http://a")
        ('Price \\(\\$\\), Cost \\(\\$\\)', 'http\\:\u2060//a')
    """
    return _MARKDOWN.sub(r"\\\1", _COMES_ALIVE.sub(_JOINER, clean(text)))


def plotly(text: str) -> str:
    """Return a text as Plotly shows it literally: no link, no line break, no subscript.

    Example:
        >>> plotly('a<b and "c">d')
        'a&lt;b and "c"&gt;d'
    """
    return html.escape(clean(text), quote=False)  # of the quotation marks' names it knows none


def markup(text: str) -> str:
    """Return a text as HTML and SVG show it literally, also in an attribute.

    Example:
        >>> markup("a<b and c>d")
        'a&lt;b and c&gt;d'
    """
    return html.escape(clean(text), quote=True)


def cell(text: str) -> str:
    """Return a text as a cell of a CSV file that no spreadsheet takes for a formula.

    Example:
        >>> cell("=1+1"), cell("LSTM"), cell("a;=1+1")
        ("'=1+1", 'LSTM', "a;'=1+1")
    """
    return _FORMULA.sub(r"\1'\2", text)
