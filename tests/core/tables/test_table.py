"""read_table on the files of real people, and on odd and hostile ones."""

import pickle
import string
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from real_files import FILES

from lstm_explorer.core.tables import MESSAGES, TableError, TableReading, read_table
from lstm_explorer.core.tables.rows import rows, unwrapped


def said(table) -> list[str]:
    return [str(note) for note in table.notes]


READ = [name for name in FILES if not FILES[name].refused]


@pytest.mark.parametrize("name", READ)
def test_a_file_of_real_people(name):
    file, table = FILES[name], read_table(FILES[name].data)
    assert table.values.to_dict("list") == file.columns
    assert len(said(table)) == len(file.says)
    assert all(any(one.startswith(begins) for one in said(table)) for begins in file.says)


@pytest.mark.parametrize("name", sorted(FILES.keys() - set(READ)))
def test_what_can_be_read_in_two_ways_is_asked(name):
    with pytest.raises(TableError, match=FILES[name].refused):
        read_table(FILES[name].data)


@pytest.mark.parametrize("name", READ)
def test_what_was_understood_reads_the_same_again(name):
    table = read_table(FILES[name].data)
    assert "auto" not in vars(table.reading).values()
    again = read_table(FILES[name].data, table.reading)
    np.testing.assert_array_equal(again.values.to_numpy(), table.values.to_numpy())


@pytest.mark.parametrize(
    ("data", "reading", "columns"),
    [
        (b"a;b\n1,250;2\n3,500;4\n", {"decimal": "comma"}, {"a": [1.25, 3.5], "b": [2, 4]}),
        (b"a;b\n1,250;2\n3,500;4\n", {"decimal": "point"}, {"a": [1250, 3500], "b": [2, 4]}),
        (b"a\n0,1\n1,2\n", {"separator": "none"}, {"a": [0.1, 1.2]}),
        (b"a\n0,1\n1,2\n", {"separator": "comma"}, {"column 1": [0, 1], "column 2": [1, 2]}),
        (b"1990,1991\n1,2\n3,4\n", {"header_line": 1}, {"1990": [1, 3], "1991": [2, 4]}),
        (b"a,b\n1,2\n3,4\n", {"header_line": 0}, {"column 1": [1, 3], "column 2": [2, 4]}),
        (b"x,x\n5,6\n1,2\n3,4\n", {"header_line": 2}, {"5": [1, 3], "6": [2, 4]}),
        ("값,b\n1,2\n3,4\n".encode("cp949"), {"encoding": "big5hkscs"}, {"高": [1, 3], "b": [2, 4]}),
    ],
)
def test_what_its_reader_says_counts(data, reading, columns):
    assert read_table(data, TableReading(**reading)).values.to_dict("list") == columns


def test_characters_that_are_not_in_the_chosen_encoding_are_refused():
    with pytest.raises(TableError, match="cannot be read as UTF-8: choose another encoding"):
        read_table("é,b\n1,2\n3,4\n".encode("cp1252"), TableReading(encoding="utf-8"))


def test_a_line_of_names_that_is_none_is_refused():
    with pytest.raises(TableError, match="said to be in line 9: expected a line with cells above the numbers"):
        read_table(b"a,b\n1,2\n3,4\n", TableReading(header_line=9))


@budget(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3), min_size=2, max_size=8))
def test_numbers_come_back(rows):
    frame = pd.DataFrame(rows, columns=list("xyz"))
    table = read_table(frame.to_csv(index=False).encode())
    np.testing.assert_allclose(table.values.to_numpy(), frame.to_numpy(), rtol=1e-15, atol=0)


@budget(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text(string.digits + ',;\n"a.-\t', max_size=80).map(str.encode)))
def test_any_bytes_give_a_finite_table_or_a_table_error(data):
    try:
        values = read_table(data).values
    except TableError as error:
        values = pd.DataFrame({str(error): [0.0, 0.0]})
    assert np.isfinite(values.to_numpy()).all()
    assert len(values) >= 2


def test_text_columns_are_left_out_and_named():
    table = read_table("날짜,값,도시\n월,1,서울\n화,2,부산\n".encode())
    assert table.values.to_dict("list") == {"값": [1.0, 2.0]}
    assert said(table) == ["Columns that are not numbers were left out: 날짜, 도시."]


def test_a_word_far_down_a_column_is_a_gap_and_said():
    table = read_table(b"a,b\n" + b"1,2\n" * 30_000 + b"word,2\n1,3\n")
    assert table.values["a"].tolist() == [1.0] * 30_002
    assert said(table)[0] == "Cells that are no numbers count as gaps: 1, such as word in a."


def test_gaps_are_straight_lines_and_counted():
    table = read_table(b"a,b\n,0\n2,\n,\n8,6\n")
    assert table.values.to_dict("list") == {"a": [2.0, 2.0, 5.0, 8.0], "b": [0.0, 2.0, 4.0, 6.0]}
    assert said(table) == ["Gaps filled by straight lines between their neighbours: 4, in a, b."]


def test_empty_columns_are_left_out_and_named():
    table = read_table(b"a,nothing\n1,\n2,\n")
    assert list(table.values) == ["a"]
    assert said(table) == ["Columns with no values were left out: nothing."]


def test_a_file_without_names_gets_some():
    table = read_table(b"1,2\n3,4\n5,6\n")
    assert table.values.to_dict("list") == {"column 1": [1.0, 3.0, 5.0], "column 2": [2.0, 4.0, 6.0]}
    assert "named column 1, column 2" in said(table)[0]


@pytest.mark.parametrize(("rows", "notes"), [(5, []), (6, ["Only the first 5 rows were read."])])
def test_rows_beyond_the_limit_are_cut_and_said(rows, notes):
    table = read_table(b"a\n" + b"".join(b"%d\n" % n for n in range(rows)), max_rows=5)
    assert table.values["a"].tolist() == [0, 1, 2, 3, 4]
    assert said(table) == notes


def test_columns_beyond_64_are_cut_and_said():
    head, row = (",".join(template.format(n) for n in range(70)) for template in ("c{}", "{}"))
    table = read_table(f"{head}\n{row}\n{row}\n".encode())
    assert list(table.values) == [f"c{n}" for n in range(64)]
    assert said(table) == ["Only the first 64 of 70 columns of numbers were kept."]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "file is empty: expected column names"),
        (b" \n\r\n", "file is empty"),
        (b"\xa0", "file is empty"),  # a no-break space, which is a space only once it is decoded
        (b"a,b\n", "Rows of values in the file: 0. Expected at least 2"),
        (b"a,b\n1,2\n", "Rows of values in the file: 1. Expected at least 2"),
        (b"a,b\nx,y\nz,w\n", r"None of the columns holds numbers \(a, b\)"),
        (b"a,b\n1,2\n3,4,5\n", "Line 3 has 3 cells: expected 2"),
        (b'a,b\n1,2\n3,"4', "look for an open quotation mark"),
        (b'a,b\n1,"2\n3,4\n', "look for an open quotation mark"),
        (b"1" * 200_000, "Rows of values in the file: 1"),
        (b"a,b\n1,2\n3,inf\n", "Line 3 is infinite in column b"),
        (b"a\n1e999\n1\n", "Line 2 is infinite in column a"),
        (b"PK\x03\x04\x00\x00", "file is not text: expected a CSV"),
        (b",".join([b"a"] * 5000), "Line 1 has 5000 cells: expected at most 4096"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_mend(data, message):
    with pytest.raises(TableError, match=message):
        read_table(data)


@pytest.mark.parametrize(
    "data",
    [b"," * 300_000, b"1,2\n" * 150_000, (b"1;" * 300 + b"\n") * 900, b'"' * 300_000, b" " * 300_000 + b"1",
     (b"1" + b" " * 3000 + b"2;2\n") * 100, (b"1" + b",000" * 500 + b";2\n") * 200, b"\xb0\xa1,1\n" * 60_000],
    ids=range(8),
)  # fmt: skip
@pytest.mark.timeout(20)
def test_large_and_odd_files_take_a_bounded_time(data):
    try:
        values = read_table(data).values
    except TableError as error:
        values = pd.DataFrame({str(error): [0.0]})
    assert values.size <= 1_000_000


@pytest.mark.parametrize("separator", ["comma", "space", "none"])
def test_lines_that_nobody_looks_at_take_no_memory(separator):
    text = '"1,2"\n' * 50_000
    tracemalloc.start()
    next(rows(unwrapped(text), separator))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(text)  # all lines at once are ten times as large


@pytest.mark.parametrize("separator", ["comma", "space"])
def test_a_line_of_too_many_cells_is_refused_before_they_are_made(separator):
    text = "1, " * 100_000
    tracemalloc.start()
    with pytest.raises(TableError, match=r"Line 1 has 10000[01] cells: expected at most 4096"):
        next(rows(text, separator))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(text)


def test_wide_and_long_tables_are_cut_and_said():
    table = read_table((b"1," * 600 + b"1\n") * 4000)
    assert table.values.shape == (3907, 64)  # a million cells are looked at, of 256 columns
    assert said(table)[0] == "Only the first 256 of 601 columns were looked at."
    assert "Only the first 3907 rows were read." in said(table)


def test_a_large_file_is_refused_before_it_is_looked_at():
    with pytest.raises(TableError, match=r"file has 2\.0 MB: expected at most 1\.0 MB"):
        read_table(b"\x00" * 2_000_000, max_bytes=1_000_000)


def test_text_is_no_file():
    with pytest.raises(TypeError, match="data is a str: expected bytes"):
        read_table("a,b\n1,2\n")


def test_notes_and_errors_keep_template_and_values_apart():
    (note,) = read_table(b"a,b\n1,x\n2,y\n").notes
    assert note.message == MESSAGES["columns_text"]
    assert note.values == {"columns": "b"}
    error = TableError(MESSAGES["few_rows"], {"came": 1})
    assert isinstance(error, ValueError)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.template, copy.values, str(copy)) == (error.template, {"came": 1}, str(error))


def test_long_lists_of_names_are_cut_short():
    head = ",".join(f"t{n}" for n in range(13))
    table = read_table(f"{head},x\n{'a,' * 13}1\n{'a,' * 13}2\n".encode())
    assert said(table)[0].endswith("t8, t9, … (+3).")
