"""Every file that an exhibit can become, made by one function."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.scripts import to_script
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.export.data import to_csv, to_json, to_parquet
from lstm_explorer.export.figure_script import figure_script, has_figure_script
from lstm_explorer.export.images import MOST_PIXELS, render
from lstm_explorer.export.interactive import to_html
from lstm_explorer.export.paper import SHEETS, Paper, Size, on_paper, scale_of

FileFormat = Literal["png", "svg", "pdf", "html", "csv", "parquet", "json", "py"]


class FileType(NamedTuple):
    """The MIME type of a format, and whether the server's browser draws it."""

    mime: str
    drawn: bool = False


FORMATS: Mapping[FileFormat, FileType] = types.MappingProxyType(
    {
        "png": FileType("image/png", drawn=True),
        "svg": FileType("image/svg+xml", drawn=True),
        "pdf": FileType("application/pdf", drawn=True),
        "html": FileType("text/html"),
        "csv": FileType("text/csv"),
        "parquet": FileType("application/vnd.apache.parquet"),
        "json": FileType("application/json"),
        "py": FileType("text/x-python"),
    }
)


#: Pixels of a PNG for each CSS pixel, as the toolbar offers them.
RESOLUTIONS = (1.0, 2.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """The format of a file, and its options.

    Attributes:
        format: One of :data:`FORMATS`.
        paper: Size, theme, title and caption of an image; theme, title and caption of an HTML page.
        scale: Pixels of a PNG for each CSS pixel: 1, 2 or 4.
    """

    format: FileFormat
    paper: Paper = field(default_factory=Paper)
    scale: float = 2.0


def make(exhibit: Exhibit, options: ExportOptions, *, table: TableLike | None = None) -> bytes:
    """Make a file.

    Args:
        exhibit: The exhibit to export.
        options: The format and its options.
        table: The reader's own table, where a script reads it.

    Returns:
        The whole file.

    Raises:
        ImageError: The server's browser is missing or failed.
        ValueError: A script would be too long, or there is no one network that it could be of.
    """
    paper = options.paper
    match options.format:
        case "png" | "svg" | "pdf":
            figure = on_paper(exhibit, paper)
            scale = scale_of(figure, paper.size) * (options.scale if options.format == "png" else 1.0)
            width, height = int(figure.layout.width), int(figure.layout.height)
            return render(figure, format=options.format, width=width, height=height, scale=scale, title=exhibit.title)
        case "html":
            return to_html(exhibit, theme=paper.theme, title=paper.title, caption=paper.caption)
        case "csv":
            return to_csv(exhibit)
        case "parquet":
            return to_parquet(exhibit)
        case "json":
            return to_json(exhibit)
        case "py":
            return _script(exhibit, table).encode()


def has_script(exhibit: Exhibit) -> bool:
    """Tell whether there is a program by hand: of the figure's curves, or of the one network behind it."""
    return has_figure_script(exhibit) or len(exhibit.experiments) == 1


def _script(exhibit: Exhibit, table: TableLike | None) -> str:
    """Return the program of the whole figure or, where it shows no curves, of its one network."""
    if has_figure_script(exhibit):
        return figure_script(exhibit, table=table)
    if not has_script(exhibit):
        count = len(exhibit.experiments)
        raise ValueError(f"a script is of one network: {exhibit.name} is of {count}; expected another --format.")
    (one,) = exhibit.experiments
    read = table if one.settings.input_kind == "csv" else None
    return to_script(one.settings, architecture=one.architecture, table=read)


def resolutions(size: Size) -> list[float]:
    """Return the resolutions at which an image of a sheet has not too many pixels.

    Example:
        >>> resolutions("slide"), resolutions("poster")
        ([1.0, 2.0, 4.0], [1.0, 2.0])
    """
    sheet = SHEETS[size]
    pixels = sheet.width * sheet.height * sheet.scale**2
    return [scale for scale in RESOLUTIONS if pixels * scale**2 <= MOST_PIXELS]


def file_name(exhibit: Exhibit, options: ExportOptions) -> str:
    """Return a file name with the exhibit and the sequence length, such as ``lstm-explorer-journey-T200.png``.

    ASCII only: browsers treat other letters differently.
    """
    parts = ["lstm-explorer", exhibit.name.replace("_", "-"), f"T{exhibit.settings.sequence_length}"]
    if options.format == "py" and not has_figure_script(exhibit):
        parts[1] = exhibit.experiments[0].architecture
    if options.format == "png":
        parts.append(f"{options.paper.size}-{options.scale:g}x")
    if options.format in ("svg", "pdf"):
        parts.append(options.paper.size)
    return "-".join(parts) + f".{options.format}"
