"""Addresses that nobody means well with: legal ones, mutated, and values made to break what reads them."""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.biases_view import BiasesView
from lstm_explorer.exhibits.gradients import GradientsView
from lstm_explorer.exhibits.inside import InsideView
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.exhibits.lesson_view import LessonView
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.exhibits.sweeps_view import SweepsView
from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.exhibits.view import View
from lstm_explorer.exhibits.your_network_view import YourNetworkView

#: Page -> the class of its view.
VIEWS: dict[str, type[View]] = {
    "start": View, "lesson": LessonView, "inside": InsideView, "gradients": GradientsView, "biases": BiasesView,
    "jacobians": JacobiansView, "training": TrainingView, "sweeps": SweepsView, "your_network": YourNetworkView,
    "report": View,
}  # fmt: skip
_SCRIPT = "<img src=x onerror=alert(1)><script>alert(1)</script>"
#: Values that some reader of texts falls over.
VALUES = (
    "", " ", "0", "-0", "-1", "1e400", "-1e400", "1e-400", "nan", "NaN", "inf", "-Infinity", "1_000", "0x10", "1e",
    "١٢", "４", "½", "²", "9" * 5000, "9" * 100_000, "1" + "0" * 400, "0." + "0" * 100_000 + "1",
    "\0", "a\0b", "\x1b[31m", "\ud800", "\udfff\ud800", "\ufffe", "\u202egnp.exe", "\u2066\u2067", "\u200b" * 5000,
    "\u2028", "\r\nSet-Cookie: a=b", "a\n" * 10_000,
    "__class__", "__init__", "__dict__", "{0.__class__}", "{name}", "%(name)s", "%s%n", "${7*7}", "{{7*7}}",
    "-" * 50_000, "rnn-" * 20_000, "~" * 50_000, "forgetting_1~" * 5_000, "x" * 100_000, "한" * 30_000,
    _SCRIPT, "[x](javascript:alert(1))", "![x](http://evil.example/a.png)", "$\\href{javascript:alert(1)}{x}$",
    "=cmd()|'/c'!A0", "'; import os; os.system('true') #", '"""', "\\", "../../../../etc/passwd", "file:///etc/passwd",
    "None", "True",
)  # fmt: skip
#: Names that are no parameter, or nearly one.
NAMES = (
    "", " ", "=", "&", "seed=1", "seed=1&seed=2", "amp;seed", "?seed", "SEED", "Hidden-Size", "__class__", "__proto__",
    "self", "cls", "replace", "to_query", "\0", "\ud800", "\u202eseed", "x" * 100_000, "seed" * 5000, "a[]", "{0}",
    "embed", "embed_options", "utm_source", "lang", "report", "pin", "pins", "name", "network",
)  # fmt: skip
#: Characters of an address, before they are written: Streamlit drops what is longer than 524,288.
_LARGEST = 300_000
_DEEP = b"[" * 1000 + b"]" * 1000


def packed(document: Any) -> str:
    """Return a document as the parameter ``report`` holds it; a text or bytes as it stands."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(zlib.compress(text, 9)).decode().rstrip("=")


def item(**changed: Any) -> dict[str, Any]:
    """Return a figure of a report, with some of it changed."""
    plain = {"figure": "gradients", "settings": {}, "view": {}, "pins": [], "title": "", "note": ""}
    return {**plain, **changed}


def reports() -> list[str]:
    """Return reports that are bombs, too deep, too many, or of other kinds than they should be."""
    odd: list[Any] = [None, True, 1, 1.5, [], {}, "x", ["x"] * 10_000, {"a": "b"}, "\ud800", _SCRIPT, "x" * 90_000]
    named = [item(pins=["network=rnn&name=" + quote(value, errors="ignore")]) for value in VALUES]
    documents: list[Any] = [
        *odd, {}, {"title": "", "items": {}}, {"title": "", "items": [item()] * 500},
        {"title": "", "items": [item(pins=["network=rnn"] * 5000)]},
        {"title": _SCRIPT * 100, "items": [item(title=_SCRIPT * 100, note=_SCRIPT * 2000)] * 24},
        *({"title": "", "items": [item(figure=name)]} for name in EXHIBITS),
        *({"title": one, "items": []} for one in odd), *({"title": "", "items": one} for one in odd),
        *({"title": "", "items": [item(**{name: one})]} for name in item() for one in odd),
        *({"title": "", "items": [item(settings={name: value})]} for name in schema(Settings) for value in odd),
        *({"title": "", "items": [item(view={name: value})]} for name in schema(GradientsView) for value in odd),
        *({"title": "", "items": [one]} for one in named),
    ]  # fmt: skip
    bombs = [
        b"[" * 200_000, b'{"a":' * 50_000, _DEEP, b'{"title":' + _DEEP + b',"items":[]}', b" " * 50_000_000, b"\xff",
        b"[" + b"0," * 190_000 + b"0]", b"[" + b"[]," * 130_000 + b"0]", b'{"title":1e400,"items":[]}',
        b'{"title":' + b"9" * 100_000 + b',"items":[]}', b'{"title":NaN,"items":[]}',
        b'{"title":"","items":[],"items":[],"title":1}', b'{"title":"\\ud800","items":[]}',
    ]  # fmt: skip
    texts = ["", "=", "====", "a", "zzzz", "eJ", "\0", "\ud800", "한글", "-_" * 50_000, "A" * 500_000]
    return [*map(packed, documents), *map(packed, bombs), *texts]


def pins(rng: random.Random) -> list[str]:
    """Return some pins, of a thousand at most."""
    names = [*schema(Settings), "name", "network", *NAMES]
    some = [urlencode({"network": "lstm", **_pairs(rng, names)}, errors="replace") for _ in range(4)]
    return some * rng.choice((1, 1, 1, 3, 240))


def _pairs(rng: random.Random, names: list[str]) -> dict[str, str]:
    return {rng.choice(names): _value(rng) for _ in range(rng.randrange(4))}


def _value(rng: random.Random) -> str:
    value = rng.choice(VALUES) if rng.random() < 0.8 else str(rng.uniform(-1e4, 1e4))
    return _mutated(rng, value) if rng.random() < 0.3 else value


def _mutated(rng: random.Random, text: str) -> str:
    """Return a text with a piece of it taken out, doubled, moved, or replaced by any characters."""
    start = rng.randrange(len(text) + 1)
    stop = min(len(text), start + rng.randrange(8))
    any_of = "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0x11_0000)))) for _ in range(rng.randrange(4)))
    return text[:start] + rng.choice(("", text[start:stop] * 2, any_of, "%", "&", "=", "+", ";")) + text[stop:]


def mutated(seed: int) -> Iterator[tuple[str, str]]:
    """Yield pages and query strings without end."""
    rng, of_reports = random.Random(seed), reports()
    while True:
        page = rng.choice(tuple(VIEWS))
        known = [*schema(Settings), *schema(VIEWS[page])]
        pairs = [
            (rng.choice((rng.choice(known), rng.choice(known), rng.choice(NAMES))), _value(rng))
            for _ in range(rng.randrange(1, 7))
        ]
        if rng.random() < 0.3:
            pairs.append(("report", rng.choice(of_reports)))
        if rng.random() < 0.2:
            pairs += [("pin", pin) for pin in pins(rng)]
        if rng.random() < 0.1:
            pairs += [rng.choice(pairs)] * rng.choice((2, 900))
        pairs = [(name, value[: _LARGEST // len(pairs)]) for name, value in pairs]
        query = "&".join(f"{_written(rng, name)}={_written(rng, value)}" for name, value in pairs)
        yield page, _mutated(rng, query) if rng.random() < 0.3 else query


def _written(rng: random.Random, text: str) -> str:
    """Return a text as an address has it, or as it stands; half characters as the bytes that they would be."""
    how = rng.random()
    return text if how < 0.1 else quote(text.encode("utf-8", "surrogatepass"), safe="" if how < 0.9 else "=&")
