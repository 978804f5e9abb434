"""The characters of a file, whatever it was saved by."""

from __future__ import annotations

import codecs
import re

from lstm_explorer.core.tables.messages import error
from lstm_explorer.core.tables.reading import ENCODINGS

# A text holds no control characters but tabs, line ends and, from old programs, one that says it is over.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_WORD = re.compile(rb"[A-Za-z]?[\x80-\xff]+[A-Za-z]?")
#: Bytes that an encoding is guessed from.
_LOOKED_AT = 50_000
#: Of the encodings, those whose letters stand singly among ASCII ones.
_WESTERN = ("cp1252", "cp1250", "cp1254")
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def decoded(data: bytes, encoding: str = "auto") -> tuple[str, str]:
    r"""Return the text of a file with ``\n`` at the end of lines, and its encoding.

    Args:
        data: The file's bytes.
        encoding: A name of :data:`~lstm_explorer.core.tables.reading.ENCODINGS`, or ``"auto"``.

    Raises:
        TableError: It is empty, not text, or not in this encoding.

    Example:
        >>> decoded("값\r\n1".encode("cp949"))
        ('값\n1', 'cp949')
    """
    found = _encoding(data) if encoding == "auto" else encoding
    try:
        text = data.decode(_codec(data, found))
    except UnicodeError as reason:
        raise error("undecodable", encoding=ENCODINGS[found]) from reason
    text = text.removeprefix("\ufeff").rstrip("\x1a\x00").replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        raise error("binary")
    if not text.strip():
        raise error("empty")
    return text, found


def _codec(data: bytes, encoding: str) -> str:
    """Return the codec of UTF-16 without a mark: the byte that is zero in ASCII is the high one."""
    if encoding != "utf-16" or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return encoding
    return "utf-16-be" if data[::2].count(0) > data[1::2].count(0) else "utf-16-le"


def _encoding(data: bytes) -> str:
    """Return the most likely encoding of a file."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    head = data[:_LOOKED_AT]
    if len(head) > 3 and max(head[::2].count(0), head[1::2].count(0)) > len(head) // 4:
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy_encoding(data)
    return "utf-8"


def _legacy_encoding(data: bytes) -> str:
    """Return the most likely encoding that is no Unicode, by the lines that are more than ASCII."""
    lines = dict.fromkeys(line for line in data[: 20 * _LOOKED_AT].splitlines() if not line.isascii())
    telling = b"\n".join(lines)[:_LOOKED_AT] or data[:_LOOKED_AT]
    words = set(_WORD.findall(telling))
    if all(len(_HIGH.findall(word)[0]) == 1 for word in words):
        names: tuple[str, ...] = _WESTERN  # é, °: in East Asia two such bytes stand together
    elif len(words) == 1 and all(len(word) == 2 and word[:1] > b"\x7f" < word[1:] for word in words):
        names = ("cp949",)  # nothing tells one Korean character from one Chinese
    else:
        names = tuple(ENCODINGS)[2:]
    legal = [name for name in names if _decodes(data, name)]
    return _likeliest(telling, legal or [name for name in tuple(ENCODINGS)[2:] if _decodes(data, name)])


def _likeliest(telling: bytes, names: list[str]) -> str:
    """Return which of some encodings a text is in, by its letters."""
    if len(names) == 1:
        return names[0]
    # Its models take 30 MB: only who brings such a file pays for them.
    import chardet

    ranked = chardet.detect_all(
        telling, ignore_threshold=True, include_encodings=names, compat_names=False, no_match_encoding=names[0]
    )
    best = [str(one["encoding"]) for one in ranked if one["encoding"] in names]
    # Where another reads the same text, the common one has its name.
    same = [name for name in best if telling.decode(name, "replace") == telling.decode(best[0], "replace")]
    return min(same, key=names.index) if same else names[0]


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
