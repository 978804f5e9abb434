"""What the commands share: options made of records, tables, and errors of one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import clean
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.record import Record, described, schema
from lstm_explorer.core.tables import TableReading, read_table, understood
from lstm_explorer.locales import _, translated


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and exit."""
        self.exit(2, f"{self.prog}: error: {message}\n")


@contextmanager
def one_line_errors(command: str) -> Iterator[list[str]]:
    """Turn an error into one line on standard error; the yielded list then holds it.

    Args:
        command: What the line says that failed.
    """
    failed: list[str] = []
    try:
        yield failed
    except ExplainedError as error:
        failed.append(translated(error.template).format(**error.values))
    except OSError as error:
        failed.append(f"{error.filename or 'the file'}: {error.strerror or error}")
    except (ValueError, TypeError) as error:
        failed.append(str(error))
    except MemoryError:
        failed.append("not enough memory: lower --sequence-length, --hidden-size, --batch-size or --num-seeds.")
    except KeyboardInterrupt:
        failed.append("stopped.")
    for message in failed:
        sys.stderr.write(f"lstm-explorer {command}: error: {' '.join(clean(message).split())}\n")


def add_fields(group: Any, record: type[Record], skip: Collection[str] = ()) -> None:
    """Add an option for every field of a record; none has a default, so that only what was typed counts."""
    for name, field in schema(record).items():
        if name in skip:
            continue
        flag = flag_of(name)
        about = f"{described(record).get(name, '')} default: {field.default}".strip().replace("%", "%%")
        if field.kind is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=about)
        elif field.options:
            group.add_argument(flag, choices=field.options, help=about)
        else:
            limits = field.limits
            text = f"{about}, {limits.low:g} to {limits.high:g}" if limits else about
            group.add_argument(flag, type=field.kind, metavar=field.kind.__name__.upper(), help=text)


def given_fields(options: argparse.Namespace, record: type[Record]) -> dict[str, Any]:
    """Return the fields of a record that were given."""
    typed = {name: getattr(options, name, None) for name in schema(record)}
    return {name: value for name, value in typed.items() if value is not None}


def table_of(options: argparse.Namespace, note: Callable[[str], None]) -> TableLike | None:
    """Return the rows of ``--table``, read as the options of :class:`TableReading` say; None without one.

    Args:
        options: As typed.
        note: Called with how it was understood.

    Raises:
        ValueError: It is said how a table is written, but there is none, or it cannot be read.
    """
    said = given_fields(options, TableReading)
    if said and not options.table:
        raise ValueError(f"{flag_of(next(iter(said)))} says how a table is written: expected it with --table.")
    if not options.table:
        return None
    table = read_table(options.table.read_bytes(), TableReading(**said))
    note(_("Read as {form}.").format(form=understood(table.reading, translated)))
    for one in table.notes:
        note(translated(one.message).format(**one.values))
    return table.values


def flag_of(name: str) -> str:
    """Return the option of a field."""
    return f"--{name.replace('_', '-')}"
