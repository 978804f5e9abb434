"""The glossary of the lesson, ``data/lesson/words.<language>.md``: an English heading for each term, and its words."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from lstm_explorer.exhibits.lesson import FOLDER

#: A link from a chapter to a term: what is written, and the term's code.
LINK = re.compile(r"\[([^\]]+)\]\(words\.\w+\.md#([\w-]+)\)")


@functools.cache
def glossary(language: str) -> Mapping[str, str]:
    """Return the terms by code, each with its definition in Markdown.

    Args:
        language: Code of the language.

    Example:
        >>> glossary("en")["gate"][:9]
        '**Gate**.'
    """
    text = FOLDER.joinpath(f"words.{language}.md").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:])
    return {heading.strip().lower().replace(" ", "-"): " ".join(body.split()) for heading, _newline, body in parts}


def terms_in(text: str) -> tuple[str, ...]:
    """Return the codes of the terms that a text links to, once each, as they come."""
    return tuple(dict.fromkeys(found[2] for found in LINK.finditer(text)))


def with_hover(text: str, language: str, *, anchor: str) -> str:
    """Return a chapter's text with links that show the definition, and lead to the terms on the same page.

    Args:
        text: Markdown of the lesson.
        language: Code of its language.
        anchor: Where on the page the terms stand.
    """
    known = glossary(language)
    return LINK.sub(lambda found: f'[{found[1]}](#{anchor} "{plain(known[found[2]])}")', text)


def plain(text: str) -> str:
    """Return a definition without what Markdown would read as a sign.

    Example:
        >>> plain("**Gate** $f$. *Open* or shut.")
        'Gate f. Open or shut.'
    """
    return re.sub(r'[*$"\\{}]', "", text)
