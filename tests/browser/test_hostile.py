"""A link whose names are scripts, pictures and links, in the real browser: all of them stay words."""

from urllib.parse import urlencode

NAMES = (
    "![x](http://evil.example/a.png)", "<img src=http://evil.example/b>", "[c](javascript:window.ran=1)",
    "http://evil.example/d", "www.evil.example", "a@evil.example.com", ":material/home: -> :streamlit:",
)  # fmt: skip
#: What would lead away, or be drawn in place of words.
ALIVE = """() => [window.ran, ...document.querySelectorAll('a[href*=evil], a[href^=javascript], img[src*=evil],' +
    ' [data-testid=stMarkdownContainer] p :is(img, [role=img])')].filter(Boolean).map((one) => one.outerHTML)"""


def test_names_of_a_shared_link_stay_words(page, server, settled):
    pins = [
        ("pin", urlencode({"name": name, "network": "rnn", "hidden_size": 3, "sequence_length": 4})) for name in NAMES
    ]
    wrong = [("dtype", NAMES[0]), ("loss", NAMES[3]), ("nonlinearity", NAMES[6])]
    asked, dialogs = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{server}/gradients?{urlencode([('sequence_length', 5), ('hidden_size', 3), *pins, *wrong])}")
    settled(page)
    shown = page.locator("[data-testid=stMain]").inner_text().replace("\u2060", "")
    assert [name for name in NAMES if name not in shown] == []
    assert page.evaluate(ALIVE) == []
    assert [url for url in asked if not url.startswith((server, "data:", "blob:"))] == []
    assert dialogs == []
