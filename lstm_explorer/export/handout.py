"""A chapter of the lesson on paper: its text, its figure as it stands, its question, and on another page the answer."""

from __future__ import annotations

import re
from typing import NamedTuple

from latex2mathml.converter import convert
from markdown_it import MarkdownIt

from lstm_explorer.core.escape import markup
from lstm_explorer.core.sources import SOURCES
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.glossary import LINK, glossary, terms_in
from lstm_explorer.exhibits.lesson import Chapter, Words, filled
from lstm_explorer.exhibits.lesson_findings import Finding
from lstm_explorer.exhibits.words import settings_line
from lstm_explorer.export.images import print_pdf
from lstm_explorer.export.interactive import document, figure_block, plotly_script
from lstm_explorer.export.report import PRINT_STYLE, picture
from lstm_explorer.locales import _, current_language

_STYLE = """
.options { list-style: "☐  "; } .answer { break-before: page; } section { break-inside: auto; }
@media screen { .answer { margin-top: 80vh; } }
menclose[notation=box] { border: 1px solid; padding: .5em; }
math[display=block] { margin: .6em 0; }
"""
_DISPLAYED, _INLINE = re.compile(r"\$\$(.+?)\$\$", re.DOTALL), re.compile(r"\$([^$]+?)\$")


class Handout(NamedTuple):
    """What is printed of a chapter.

    Attributes:
        chapter: The chapter.
        exhibit: Its figure, as it stands on screen.
        finding: What was measured.
        address: What opens the same chapter in the app.
    """

    chapter: Chapter
    exhibit: Exhibit
    finding: Finding
    address: str


def handout_html(handout: Handout) -> bytes:
    """Return a chapter as a page with a live figure, which works offline.

    Args:
        handout: What is printed.
    """
    body = _body(handout, figure_block(handout.exhibit, "light"))
    return document(_words(handout).title, body, "light", script=plotly_script(), style=_STYLE).encode()


def handout_pdf(handout: Handout) -> bytes:
    """Return a chapter as pages to print.

    Args:
        handout: What is printed.

    Raises:
        ImageError: The server's browser is missing or failed.
    """
    body = _body(handout, picture(handout.exhibit))
    return print_pdf(document(_words(handout).title, body, "light", style=PRINT_STYLE + _STYLE))


def to_html(text: str) -> str:
    r"""Return a text of the lesson as HTML: formulas as MathML, terms as plain words.

    Args:
        text: Markdown of the lesson, never of a reader.

    Example:
        >>> to_html("a [gate](words.en.md#gate) **opens**")
        '<p>a gate <strong>opens</strong></p>\n'
    """
    plain = LINK.sub(lambda found: found[1], text)
    with_formulas = _DISPLAYED.sub(lambda found: _formula(found[1], "block"), plain)
    return str(MarkdownIt().render(_INLINE.sub(lambda found: _formula(found[1], "inline"), with_formulas)))


def _formula(latex: str, display: str) -> str:
    return str(convert(" ".join(latex.split()), display=display))


def _words(handout: Handout) -> Words:
    return handout.chapter.words[current_language()]


def _body(handout: Handout, figure: str) -> str:
    words, numbers, question = _words(handout), handout.finding.numbers, handout.chapter.question
    guess, predict, measured = _("Your guess"), _("Predict first"), _("What was measured")
    options = "".join(f"<li>{_inline(option)}</li>" for option in words.options)
    blank = f'<ul class="options">{options}</ul>' if options else f"<p>{markup(guess)}: ______________</p>"
    right = filled(words.remarks[question.right(handout.finding.value)], numbers) if question.options else ""
    said = right or _("{number} was measured.").format(number=numbers["measured"])
    parts = [
        f"<h1>{_inline(words.title)}</h1>{to_html(words.text)}",
        f"{figure}<p class='settings'>{markup(settings_line(handout.exhibit))}</p>",
        f"<h2>{markup(predict)}</h2>{to_html(filled(words.question, numbers))}{blank}",
        f"<section class='answer'><h2>{markup(measured)}</h2>{to_html(said)}"
        f"{to_html(filled(words.conclusion, numbers))}</section>",
        _terms(words),
        _sources(handout.chapter),
        f'<p class="settings"><a href="{markup(handout.address)}">{markup(handout.address)}</a></p>',
    ]
    return "\n".join(parts)


def _inline(text: str) -> str:
    """Return a line as HTML without a paragraph around it."""
    return to_html(text).strip().removeprefix("<p>").removesuffix("</p>")


def _terms(words: Words) -> str:
    known, codes = glossary(current_language()), terms_in("\n".join([words.text, words.question, words.conclusion]))
    items = "".join(f"<li>{_inline(known[code])}</li>" for code in codes)
    title = _("Words")
    return f"<h2>{markup(title)}</h2><ul>{items}</ul>" if items else ""


def _sources(chapter: Chapter) -> str:
    named = [SOURCES[key] for key in chapter.sources]
    texts = (f"{one.authors} ({one.year}). {one.title}. {one.where}. {one.url}".strip() for one in named)
    items = (markup(text.replace("?.", "?")) for text in texts)
    title, listed = _("Sources"), "".join(f"<li>{item}</li>" for item in items)
    return f"<h2>{markup(title)}</h2><ul>{listed}</ul>"
