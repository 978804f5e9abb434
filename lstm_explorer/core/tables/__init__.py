"""The reader's own table: a file as people write it, in; finite numbers, and what was understood, out."""

from lstm_explorer.core.tables.messages import MESSAGES, Note, TableError
from lstm_explorer.core.tables.reading import TableReading, understood
from lstm_explorer.core.tables.table import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, Table, read_table

__all__ = [
    "MAX_BYTES", "MAX_COLUMNS", "MAX_ROWS", "MESSAGES", "Note", "Table", "TableError", "TableReading", "read_table",
    "understood",
]  # fmt: skip
