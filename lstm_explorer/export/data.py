"""The numbers behind a figure: tables at full precision, and one JSON document with the settings that gave them."""

from __future__ import annotations

import codecs
import io
import json
import math
import platform
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import plotly
import pyarrow
import pyarrow.csv
import torch

import lstm_explorer
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import cell, one_line, short
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.exhibits.view import View
from lstm_explorer.locales import N_

#: Bytes of JSON that are read whole: in memory each may become twenty-four. What is longer is read up to its results.
_LONGEST = 1_000_000
_RESULTS = re.compile(rb',\s*"(?:experiments|results)"\s*:\s*\[')
#: What the JSON document is, and its version: raised when an older reader would misunderstand it.
FORMAT, FORMAT_VERSION = "lstm-explorer", 1


def to_csv(exhibit: Exhibit) -> bytes:
    """Return the numbers as CSV; every float reads back exactly. With a byte order mark, or Excel garbles Korean.

    A name that a spreadsheet would take for a formula has an apostrophe before it.
    """
    buffer = io.BytesIO()
    buffer.write(codecs.BOM_UTF8)
    numbers = exhibit.numbers()
    texts = numbers.select_dtypes(exclude="number").select_dtypes(exclude="bool")
    numbers = numbers.assign(**{str(name): _cells(texts[name]) for name in texts}).rename(columns=cell)
    # Arrow's writer takes a tenth of the time of pandas' own.
    pyarrow.csv.write_csv(
        pyarrow.Table.from_pandas(numbers, preserve_index=False), buffer,
        pyarrow.csv.WriteOptions(quoting_style="needed", quoting_header="needed"),
    )  # fmt: skip
    return buffer.getvalue()


def _cells(texts: pd.Series) -> pd.Series:
    """Return texts that no spreadsheet takes for formulas."""
    return texts.map({text: cell(text) if isinstance(text, str) else text for text in texts.unique()})


def to_parquet(exhibit: Exhibit) -> bytes:
    """Return the numbers as Parquet."""
    buffer = io.BytesIO()
    exhibit.numbers().to_parquet(buffer, index=False)
    return buffer.getvalue()


def to_json(exhibit: Exhibit) -> bytes:
    """Return settings, results, versions and seed as one JSON document; ``--settings`` reads it back.

    JSON has no infinity: a gradient that is exactly zero has the log10 ``"-inf"``.
    """
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "figure": exhibit.name,
        "seed": exhibit.settings.seed,
        "settings": asdict(exhibit.settings),
        "view": exhibit.view.to_query(),
        "experiments": [
            {"name": one.name, "architecture": one.architecture, "settings": asdict(one.settings)}
            for one in exhibit.experiments
        ],
        "versions": versions(),
        "results": _results(exhibit.numbers()),
    }
    return json.dumps(document, ensure_ascii=False).encode()


def versions() -> dict[str, str]:
    """Return the versions of what made the numbers."""
    return {
        "lstm_explorer": lstm_explorer.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "plotly": plotly.__version__,
        "python": platform.python_version(),
    }


def read_settings(text: bytes | str, figure: str) -> tuple[Settings, View]:
    """Read the settings and the view out of a document of :func:`to_json`, or out of a plain object of settings.

    Args:
        text: The JSON.
        figure: Name of the exhibit whose view is read.

    Raises:
        ExplainedError: It is not JSON, of a newer version, or holds what this version does not know, a name twice, or
            far too much.
    """
    document = _document(text)
    if not isinstance(document, dict):
        raise ExplainedError(
            N_("The settings are a {kind}: expected a JSON object."), {"kind": type(document).__name__}
        )
    if "format" not in document:
        return _settings(document), EXHIBITS[figure].view()
    version = document.get("version")
    if document["format"] != FORMAT or short(version).strip("'") != str(FORMAT_VERSION):
        raise ExplainedError(
            N_("The file is {came}: this version of LSTM Explorer reads {expected}. Take the newest version."),
            {
                "came": f"{short(document['format'])} {short(version)}".replace(repr(FORMAT), FORMAT),
                "expected": f"{FORMAT} {FORMAT_VERSION}",
            },
        )
    view = document.get("view") if document.get("figure") == figure else None
    return _settings(document.get("settings")), _view(EXHIBITS[figure].view, view or {})


def _document(text: bytes | str) -> Any:
    """Return what a JSON document says; of a long one, all but its results."""
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(data) > _LONGEST:
        found = _RESULTS.search(data)
        data = data[: found.start()] + b"}" if found else data
    if len(data) > _LONGEST:
        message = N_("This JSON has more than {limit} MB beside its results: expected a file of the Download button.")
        raise ExplainedError(message, {"limit": f"{_LONGEST / 1e6:g}"})
    try:
        return json.loads(data, object_pairs_hook=_once)
    except ExplainedError:
        raise
    except RecursionError as error:
        message = N_("This JSON is nested too deeply: expected a file of the Download button.")
        raise ExplainedError(message, {}) from error
    except ValueError as error:
        raise ExplainedError(N_("This is no JSON file: {reason}."), {"reason": one_line(str(error))}) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; which of two values counts, no reader could see."""
    names = dict(pairs)
    if len(names) < len(pairs):
        twice = Counter(name for name, _value in pairs).most_common(1)[0][0]
        raise ExplainedError(N_("{name} stands in this JSON twice: leave one of the two."), {"name": one_line(twice)})
    return names


def _no_object(value: Any) -> ExplainedError:
    return ExplainedError(N_("The settings are a {kind}: expected a JSON object."), {"kind": type(value).__name__})


def _settings(values: Any) -> Settings:
    if not isinstance(values, dict):
        raise _no_object(values)
    if unknown := sorted(set(values) - set(schema(Settings))):
        raise ExplainedError(
            N_("Unknown settings: {names}. This version knows {known}."),
            {"names": one_line(", ".join(unknown)), "known": ", ".join(schema(Settings))},
        )
    return Settings(**values)


def _view(record: type[View], texts: Any) -> View:
    legal = isinstance(texts, Mapping) and all(isinstance(text, str) for text in texts.values())
    if not legal or set(texts) - set(schema(record)):
        raise ExplainedError(
            N_("The view is {came}: expected an object of texts, with {known}."),
            {"came": short(texts), "known": ", ".join(schema(record)) or "{}"},
        )
    view, corrections = record.parse_query(texts)
    if corrections:
        raise ExplainedError(
            N_("{name} is {came}: expected {expected}."),
            {
                "name": corrections[0].name,
                "came": short(corrections[0].given),
                "expected": schema(record)[corrections[0].name].expected,
            },
        )
    return view


def _results(numbers: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one object per curve, with its columns as lists; a column that never changes is a single value."""
    keys = [name for name in ("name", "kind", "architecture", "quantity") if name in numbers]
    results = []
    for _key, rows in numbers.groupby(keys, sort=False) if keys else [((), numbers)]:
        results.append({str(name): _plain(rows[name].tolist(), str(name)) for name in rows})
    return results


def _plain(values: list[Any], name: str) -> Any:
    if name in ("name", "kind", "architecture", "quantity", "runs", "relative"):
        return values[0]
    return [_json_number(value) for value in values]


def _json_number(value: Any) -> Any:
    if value is pd.NA:
        return None
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
