"""Every file that an exhibit can become, made by one function."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lstm_explorer.core.inputs.kinds import TableLike
from lstm_explorer.core.scripts import to_script
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.export.data import to_csv, to_json, to_parquet
from lstm_explorer.export.images import render
from lstm_explorer.export.interactive import to_html
from lstm_explorer.export.paper import SHEETS, Paper, on_paper

FileFormat = Literal["png", "svg", "pdf", "html", "csv", "parquet", "json", "py"]


class Kind(NamedTuple):
    """What a format is: its MIME type, and whether the server's browser draws it."""

    mime: str
    drawn: bool = False


FORMATS: Mapping[FileFormat, Kind] = types.MappingProxyType(
    {
        "png": Kind("image/png", drawn=True),
        "svg": Kind("image/svg+xml", drawn=True),
        "pdf": Kind("application/pdf", drawn=True),
        "html": Kind("text/html"),
        "csv": Kind("text/csv"),
        "parquet": Kind("application/vnd.apache.parquet"),
        "json": Kind("application/json"),
        "py": Kind("text/x-python"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted of an exhibit.

    Attributes:
        format: One of :data:`FORMATS`.
        paper: Size, theme, title and caption of an image; theme, title and caption of an HTML page.
        scale: Pixels of a PNG for each CSS pixel: 1, 2 or 4.
        experiment: Which of the exhibit's experiments a script is written for.
    """

    format: FileFormat
    paper: Paper = field(default_factory=Paper)
    scale: float = 2.0
    experiment: int = 0


def make(exhibit: Exhibit, order: Order, *, table: TableLike | None = None) -> bytes:
    """Make a file.

    Args:
        exhibit: What is taken home.
        order: In which form.
        table: The reader's own table, where a script reads it.

    Returns:
        The whole file.

    Raises:
        ImageError: The server's browser is missing or failed.
        ValueError: A script would be too long.
    """
    paper = order.paper
    match order.format:
        case "png" | "svg" | "pdf":
            figure, sheet = on_paper(exhibit, paper), SHEETS[paper.size]
            scale = sheet.scale * (order.scale if order.format == "png" else 1.0)
            width, height = int(figure.layout.width), int(figure.layout.height)
            return render(figure, format=order.format, width=width, height=height, scale=scale)
        case "html":
            return to_html(exhibit, theme=paper.theme, title=paper.title, caption=paper.caption)
        case "csv":
            return to_csv(exhibit)
        case "parquet":
            return to_parquet(exhibit)
        case "json":
            return to_json(exhibit)
        case "py":
            one = exhibit.experiments[order.experiment]
            read = table if one.settings.input_kind == "csv" else None
            return to_script(one.settings, architecture=one.architecture, table=read).encode()


def file_name(exhibit: Exhibit, order: Order) -> str:
    """Return a name that says what is in the file and from which settings, such as ``lstm-explorer-journey-T200.png``.

    ASCII only: a browser may write other letters as it likes.
    """
    parts = ["lstm-explorer", exhibit.name.replace("_", "-"), f"T{exhibit.settings.sequence_length}"]
    if order.format == "py":
        parts[1] = exhibit.experiments[order.experiment].architecture
    if order.format == "png":
        parts.append(f"{order.paper.size}-{order.scale:g}x")
    if order.format in ("svg", "pdf"):
        parts.append(order.paper.size)
    return "-".join(parts) + f".{order.format}"
