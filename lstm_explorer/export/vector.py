"""SVG that looks the same on another machine: it carries the characters that it uses, in the server's own fonts."""

from __future__ import annotations

import base64
import functools
import io
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from lstm_explorer.core.escape import markup

#: The first family of every text; no font of this name is installed anywhere.
FAMILY = "Explorer Sans"

_GENERIC = ("system-ui", "sans-serif", "serif", "monospace")
_FAMILY_PROPERTY = re.compile(r"(font-family(?::\s*|=\"))")
_STYLE = re.compile(r"font-(family|weight):\s*([^;]+)")
_ROOT = re.compile(r"<svg\b[^>]*>")
#: Of the OpenType features, those that Chromium applies unasked to Latin and Korean.
_FEATURES = ("kern", "liga", "mark", "ccmp", "locl")
_UNUSED_TABLES = ["FFTM", "DSIG", "vhea", "vmtx", "TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]
#: Latin, Greek, punctuation, arrows, mathematics and shapes: what figures are made of, but for Korean.
_COMMON = frozenset(
    c for block in ((0x20, 0x250), (0x370, 0x400), (0x2000, 0x2300), (0x25A0, 0x2600)) for c in range(*block)
)


def pdf_page(svg: str, width: float, height: float, title: str = "") -> str:
    """Return an HTML document of one page with an SVG and nothing else, in CSS pixels; a PDF has its title, too."""
    width, height = round(width), round(height)
    style = (
        f"@page {{ size: {width}px {height}px; margin: 0 }} html, body {{ margin: 0; height: {height}px; "
        "overflow: hidden } svg { display: block }"
    )
    return f'<!DOCTYPE html><meta charset="utf-8"><title>{markup(title)}</title><style>{style}</style>{svg}'


def embed_fonts(svg: bytes) -> bytes:
    """Put the characters that a drawing's text uses into it, as WOFF2.

    Each character comes from the font that the browser of this server uses for it, as fontconfig tells.

    Args:
        svg: With ``font-family`` in style attributes, as Plotly writes it, or as an attribute.

    Returns:
        The drawing with a style element; unchanged where fontconfig, fontTools or the fonts are missing.
    """
    text = svg.decode("utf-8")
    faces = "".join(
        _face(path, weight, characters)
        for (family, weight), used in _used(ElementTree.fromstring(text)).items()
        for path, characters in _by_font(family, weight, used).items()
    )
    if not faces:
        return svg
    named = _FAMILY_PROPERTY.sub(rf"\1'{FAMILY}', ", text)
    return _ROOT.sub(lambda root: f"{root.group()}<style>{faces}</style>", named, count=1).encode("utf-8")


def embed_fonts_in_image(source: str) -> str:
    """Return the address of an image with the fonts inside, where it is an SVG written out; any other as it is."""
    kind, _comma, content = source.partition(",")
    if kind != "data:image/svg+xml":
        return source
    return f"{kind},{quote(embed_fonts(unquote(content).encode()).decode())}"


def _used(root: ElementTree.Element) -> dict[tuple[str, int], frozenset[str]]:
    """Return the characters drawn in each family and weight."""
    used: dict[tuple[str, int], set[str]] = {}
    for family, weight, text in _texts(root, "", 400):
        used.setdefault((family, weight), set()).update(text)
    return {key: frozenset(c for c in characters if c.isprintable()) for key, characters in used.items() if key[0]}


def _texts(element: ElementTree.Element, family: str, weight: int) -> Iterator[tuple[str, int, str]]:
    style = dict(_STYLE.findall(element.get("style", "")))
    own = style.get("family") or element.get("font-family") or family
    bold = 700 if _is_bold(style.get("weight") or element.get("font-weight") or str(weight)) else 400
    if element.tag.endswith(("text", "tspan", "textPath")):
        yield own, bold, element.text or ""
    for child in element:
        yield from _texts(child, own, bold)
        yield own, bold, child.tail or ""


def _is_bold(weight: str) -> bool:
    return weight.strip() in ("bold", "bolder", "600", "700", "800", "900")


def _by_font(family: str, weight: int, used: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """Share characters out to font files, each to the first of the stack that has it."""
    shares, left = {}, used
    for path in _stack(family, weight):
        if share := frozenset(c for c in left if ord(c) in _characters(path)):
            shares[path] = share
            left -= share
    return shares


@functools.lru_cache(maxsize=32)
def _stack(family: str, weight: int) -> tuple[str, ...]:
    """Return the font files of a font-family property that this machine has, in order."""
    names = [name.strip().strip("'\"") for name in family.split(",")]
    return tuple(dict.fromkeys(path for name in names if (path := _font_file(name, weight))))


def _font_file(name: str, weight: int) -> str:
    """Return the file of a family, or nothing where fontconfig would put another in its place."""
    pattern = re.sub(r"([\\:,=-])", r"\\\1", name) + (":bold" if weight == 700 else "")
    try:
        answer = subprocess.run(
            ["fc-match", "-f", "%{family}|%{index}|%{file}", "--", pattern],
            capture_output=True, timeout=5, check=True, text=True, encoding="utf-8",
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    families, index, path = answer.split("|", 2)
    return path if index == "0" and (name in _GENERIC or name in families.split(",")) else ""


@functools.lru_cache(maxsize=16)
def _characters(path: str) -> frozenset[int]:
    """Return what a font has glyphs for; nothing where it cannot be read."""
    try:
        from fontTools.ttLib import TTFont, TTLibError
    except ImportError:
        return frozenset()
    try:
        with TTFont(path, lazy=True) as font:
            return frozenset(font.getBestCmap())
    except (OSError, TTLibError):
        return frozenset()


def _face(path: str, weight: int, characters: frozenset[str]) -> str:
    packed = _packed(path, characters)
    ranges = ",".join(f"U+{ord(c):X}" for c in sorted(characters))
    return (
        f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};unicode-range:{ranges};"
        f"src:url(data:font/woff2;base64,{packed}) format('woff2')}}"
    )


@functools.lru_cache(maxsize=64)
def _packed(path: str, characters: frozenset[str]) -> str:
    """Return a font that has these characters only, as WOFF2 in base64."""
    common = _COMMON.issuperset(map(ord, characters))
    source = io.BytesIO(_common(path)) if common else path
    return base64.b64encode(_subset(source, map(ord, characters), "woff2")).decode("ascii")


@functools.lru_cache(maxsize=8)
def _common(path: str) -> bytes:
    """Return a font without its rare characters: cutting that one up again takes a fifth of the time."""
    return _subset(path, _COMMON & _characters(path), None)


def _subset(source: str | io.BytesIO, codes: Iterable[int], flavor: str | None) -> bytes:
    from fontTools import subset

    options = subset.Options(flavor=flavor, hinting=False, layout_features=list(_FEATURES), notdef_outline=True)
    options.drop_tables += _UNUSED_TABLES
    with subset.load_font(source, options, lazy=True, dontLoadGlyphNames=True) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=list(codes))
        subsetter.subset(font)
        out = io.BytesIO()
        subset.save_font(font, out, options)
    return out.getvalue()
