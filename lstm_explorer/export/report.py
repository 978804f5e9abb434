"""A report of several figures: one HTML page, one PDF, or one ZIP with everything."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import NamedTuple

from lstm_explorer.core.escape import clean, markup
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.words import settings_line
from lstm_explorer.export.data import versions
from lstm_explorer.export.files import ExportOptions, FileFormat, has_script, make
from lstm_explorer.export.images import drawing, print_pdf
from lstm_explorer.export.interactive import document, figure_block, plotly_script, text_block
from lstm_explorer.export.paper import Paper, on_paper, scale_of
from lstm_explorer.locales import _

#: On paper each figure keeps its texts, and no page break falls inside a figure.
PRINT_STYLE = """
@page { size: A4; margin: 16mm 15mm; }
body { padding: 0; max-width: none; font-size: 10.5pt; background: none; }
section { break-inside: avoid; margin: 0 0 8mm; }
figure > svg { width: 100%; height: auto; }
"""
_LIGHT = Paper(size="page", title=False)


class Entry(NamedTuple):
    """One figure of a report, with the reader's title and note."""

    title: str
    note: str
    exhibit: Exhibit


def report_html(title: str, entries: Sequence[Entry]) -> bytes:
    """Return the report as a self-contained page with live figures."""
    figures = [_section(number, entry, figure_block(entry.exhibit, "light")) for number, entry in _numbered(entries)]
    return document(_heading(title), _body(title, figures), "light", script=plotly_script()).encode()


def report_pdf(title: str, entries: Sequence[Entry]) -> bytes:
    """Return the report as pages with drawn figures, sharp at any size.

    Raises:
        ImageError: The server's browser is missing or failed.
    """
    figures = [_section(number, entry, picture(entry.exhibit)) for number, entry in _numbered(entries)]
    return print_pdf(document(_heading(title), _body(title, figures), "light", style=PRINT_STYLE))


def report_zip(title: str, entries: Sequence[Entry], *, table: TableLike | None = None, images: bool = True) -> bytes:
    """Return every figure as SVG and PNG, its data, its settings and its script, and a README that lists the files.

    Args:
        title: Of the report.
        entries: Its figures.
        table: The reader's own table, where a script reads it.
        images: Whether the server has a browser to draw images with; the live page is there in any case.

    Raises:
        ImageError: Images are asked for, and the server's browser is missing or failed.
        ValueError: A script would be too long.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.html", report_html(title, entries))
        for number, entry in _numbered(entries):
            for name, content in _files(number, entry, table, images=images):
                archive.writestr(name, content)
        archive.writestr("README.txt", _readme(title, entries, images=images))
    return buffer.getvalue()


def _files(number: int, entry: Entry, table: TableLike | None, *, images: bool) -> list[tuple[str, bytes]]:
    """Return the names and contents of everything that belongs to one figure."""
    exhibit, stem = entry.exhibit, _stem(number, entry)
    wanted: list[FileFormat] = ["svg", "png"] if images else []
    wanted += ["csv", "json"]
    files = [(f"{stem}.{one}", make(exhibit, ExportOptions(format=one, paper=Paper(size="page")))) for one in wanted]
    if has_script(exhibit):
        files.append((f"{stem}.py", make(exhibit, ExportOptions(format="py"), table=table)))
    return files


def _stem(number: int, entry: Entry) -> str:
    return f"{number:02d}-{entry.exhibit.name.replace('_', '-')}"


def _readme(title: str, entries: Sequence[Entry], *, images: bool) -> str:
    lines = [_heading(title), "=" * len(_heading(title)), ""]
    lines += [_("report.html: all figures, live, in one page that works offline."), ""]
    for number, entry in _numbered(entries):
        lines += [f"{_stem(number, entry)}: {entry.title or entry.exhibit.title}"]
        lines += [f"  {settings_line(entry.exhibit)}"] + [f"  {line}" for line in entry.note.splitlines()] + [""]
    kinds = {".svg, .png": _("the figure")} if images else {}
    kinds |= {
        ".csv": _("the numbers drawn, one row per curve and step; columns named log10_ hold base-10 logarithms"),
        ".json": _("settings, numbers, versions and seed; python -m lstm_explorer export --settings reads it"),
        ".py": _(
            "a program that needs only torch: of curves it prints the numbers drawn as CSV, and draws them with "
            "matplotlib; of one network it prints step, log10 |dL/dh| and, for an LSTM, log10 |dL/dc|"
        ),
    }
    lines += [f"{kind}: {what}" for kind, what in kinds.items()]
    return clean("\n".join([*lines, "", json.dumps(versions()), ""]))


def _numbered(entries: Sequence[Entry]) -> list[tuple[int, Entry]]:
    return list(enumerate(entries, start=1))


def _heading(title: str) -> str:
    return title or _("Report")


def _body(title: str, sections: Sequence[str]) -> str:
    made = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f'<h1>{markup(_heading(title))}</h1>\n{"".join(sections)}\n<p class="settings">{markup(made)}</p>'


def _section(number: int, entry: Entry, figure: str) -> str:
    note = "".join(f"<p>{markup(line)}</p>" for line in entry.note.splitlines() if line.strip())
    settings = f'<p class="settings">{markup(settings_line(entry.exhibit))}</p>'
    heading = f"<h2>{number}. {markup(entry.title or entry.exhibit.title)}</h2>"
    return f"<section>{heading}{note}{figure}{text_block(entry.exhibit)}{settings}</section>"


def picture(exhibit: Exhibit) -> str:
    """Return an exhibit's drawing as a block of HTML, as wide as the page.

    Args:
        exhibit: What is drawn.

    Raises:
        ImageError: The server's browser is missing or failed.
    """
    figure = on_paper(exhibit, _LIGHT)
    svg = drawing(
        figure, width=int(figure.layout.width), height=int(figure.layout.height), scale=scale_of(figure, _LIGHT.size)
    )
    return f'<figure role="img" aria-label="{markup(exhibit.alt)}">{svg}</figure>'
