"""A report's three forms, and what is in them."""

import io
import os
import re
import zipfile

import pytest
from pypdf import PdfReader

import lstm_explorer as lx
from lstm_explorer.export.images import find_browser
from lstm_explorer.export.report import Entry, report_html, report_pdf, report_zip
from lstm_explorer.figures.cell_svg import number
from lstm_explorer.locales import use_language

REQUIRED = os.environ.get("LSTM_EXPLORER_REQUIRE_BROWSER") == "1"
needs_browser = pytest.mark.skipif(find_browser() is None and not REQUIRED, reason="there is no Chromium")


@pytest.fixture(scope="module")
def entries(exhibit_of):
    return [
        Entry("First & <b>", "What I saw.\nAnd more.", exhibit_of("journey")),
        Entry("", "", exhibit_of("gradients")),
    ]


def test_html_is_one_file_with_every_figure_and_note(entries):
    page = report_html("My report", entries).decode()
    assert page.count("Plotly.newPlot(") >= 2
    assert "1. First &amp; &lt;b&gt;" in page
    assert f"2. {entries[1].exhibit.title}" in page
    assert "<p>What I saw.</p><p>And more.</p>" in page
    assert not re.search(r"<(?:script|img|link)[^>]*(?:src|href)=", page.rpartition("<body>")[2])


@needs_browser
def test_pdf_has_pages_with_vector_figures(entries):
    pdf = report_pdf("My report", entries)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2
    assert b"/Subtype /Image" not in pdf


@needs_browser
@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_picture_in_a_pdf_loses_its_words(exhibit_of, language):
    use_language(language)
    try:
        pictures = [exhibit_of(name) for name in ("cell", "traces", "by_hand", "cell", "bias_map")]
        pdf = PdfReader(io.BytesIO(report_pdf("", [Entry("", "", one) for one in pictures])))
    finally:
        use_language("en")
    table = pictures[0].numbers()
    here = table[table["step"] == 10].set_index("name")["value"]
    words = [number(here[name]) for name in ("forget", "input", "candidate", "output", "cell", "hidden")]
    pages = [page.extract_text() for page in pdf.pages]
    for at in (1, 4):  # both drawings of the cell; their numbers stand nowhere else
        page = next(text for text in pages if f"{at}. " in text)
        assert [word for word in words if word not in page] == []


@needs_browser
def test_zip_holds_everything_and_says_what_is_what(entries):
    with zipfile.ZipFile(io.BytesIO(report_zip("My report", entries))) as archive:
        names = archive.namelist()
        readme = archive.read("README.txt").decode()
        assert archive.read("01-journey.svg").lstrip().startswith(b"<svg")
        assert archive.read("02-gradients.png").startswith(b"\x89PNG")
        compile(archive.read("02-gradients.py"), "script", "exec")
    assert {"report.html", "01-journey.csv", "01-journey.json"} <= set(names)
    assert "01-journey: First & <b>" in readme
    assert "What I saw." in readme


def test_without_a_browser_the_zip_lacks_images_only(entries):
    with zipfile.ZipFile(io.BytesIO(report_zip("", entries, images=False))) as archive:
        names = archive.namelist()
    assert {name.rpartition(".")[2] for name in names} == {"html", "csv", "json", "py", "txt"}
    assert [name for name in names if name.endswith(".py")] == ["01-journey.py", "02-gradients.py"]


def test_a_report_speaks_korean(entries):
    use_language("ko")
    try:
        page = report_html("", entries).decode()
    finally:
        use_language("en")
    assert '<html lang="ko">' in page
    assert "<h1>보고서</h1>" in page


def test_a_figure_of_several_networks_without_curves_has_no_program(exhibit_of):
    settings = lx.Settings(sequence_length=12, hidden_size=3)
    several = exhibit_of("exponents", settings, networks=("rnn", "gru"))
    archive = zipfile.ZipFile(io.BytesIO(report_zip("A title", [Entry("", "", several)], images=False)))
    assert [name for name in archive.namelist() if name.endswith(".py")] == []
    assert any(name.endswith(".csv") for name in archive.namelist())
