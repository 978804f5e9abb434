"""Small files as people have them: bytes, and the numbers that they mean, or why they are refused."""

from __future__ import annotations

from typing import NamedTuple

NAN_FILLED = "Gaps filled"


class RealFile(NamedTuple):
    """A file, the columns that it holds, and the beginning of what is said of it; or the error's words alone."""

    data: bytes
    columns: dict[str, list[float]] | None
    says: tuple[str, ...] = ()
    refused: str = ""


def _read(text, columns, *says, encoding="utf-8"):
    return RealFile(text.encode(encoding), columns, says)


def _refused(text, why, encoding="utf-8"):
    return RealFile(text.encode(encoding), None, refused=why)


A_B = {"a": [1.5, 3.0], "b": [2.0, 4.0]}
COLUMNS = {"column 1": [1.5, 3.0, 5.0], "column 2": [2.5, 4.5, 6.5]}
LOAD = {"load": [1.5, 2.5, 3.5]}
NO_NAMES, ABOVE, BELOW = "No line names", "Lines that hold", "Lines at the end"
TEXT, EMPTY, CELLS = "Columns that are not numbers", "Columns with no values", "Cells that are no numbers"

FILES: dict[str, RealFile] = {
    # Separators and decimal marks.
    "plain": _read("a,b\n1.5,2\n3,4\n", A_B),
    "German": _read("a;b\n1,5;2\n3;4\n", A_B),
    "German without names": _read("1,5;2,5\n3,0;4,5\n5,0;6,5\n", COLUMNS, NO_NAMES),
    "German, whole numbers first": _read("10;20\n1,5;2,5\n3;4\n", {"column 1": [10, 1.5, 3], "column 2": [20, 2.5, 4]},
                                         NO_NAMES),
    "tabs and commas": _read("a\tb\n1,5\t2\n3\t4\n", A_B),
    "pipes": _read("a|b\n1.5|2\n3|4\n", A_B),
    "pipes at both ends": _read("|a|b|\n|1.5|2|\n|3|4|\n", A_B, EMPTY),
    "spaces": _read("a b\n1.5 2\n3 4\n", A_B),
    "aligned by spaces": _read("    a     b\n  1.5     2\n    3     4\n", A_B),
    "spaces, no names": _read(" 1.5  2.5\n 3.0  4.5\n 5.0  6.5\n", COLUMNS, NO_NAMES),
    "spaces and decimal commas": _read("a b\n1,5 2\n3 4\n", A_B),
    "space after commas": _read("a, b\n1.5, 2\n3, 4\n", A_B),
    "Excel's sep=": _read("sep=;\r\na;b\r\n1,5;2\r\n3;4\r\n", A_B),
    "Excel's sep= with tabs": _read("sep=\t\na\tb\n1,5\t2\n3\t4\n", A_B),
    "quoted": _read('"a","b"\n"1.5","2"\n"3","4"\n', A_B),
    "single quotes": _read("'a';'b'\n'1,5';'2'\n'3';'4'\n", A_B),
    "quoted decimal commas between commas": _read('a,b\n"1,5","2"\n"3,0","4"\n', A_B),
    "commas in a text": _read('place,a\n"Seoul, KR",1.5\n"Busan, KR",3\n', {"a": [1.5, 3]}, TEXT),
    "semicolons in a text": _read("place,a\nx; y,1.5\nz,3\nw; v; u,4\n", {"a": [1.5, 3, 4]}, TEXT),
    "a point at the end of each line": _read("a,b,\n1.5,2,\n3,4,\n", A_B, EMPTY),
    "marks at the end of the numbers alone": _read("a,b\n1.5,2,\n3,4,\n", A_B, EMPTY),
    "one column": _read("load\n1.5\n2.5\n3.5\n", LOAD),
    "old Mac": _read("a,b\r1.5,2\r3,4\r", A_B),
    "blank lines between": _read("a,b\n\n1.5,2\n\n3,4\n", A_B),
    "exponents": _read("a,b\n1.5e0,2E+00\n30e-1,4\n", A_B),
    "exponents with commas": _read("a;b\n1,5E+00;2\n3,0E+00;4\n", A_B),
    "European dates": _read("Datum;a\n01.02.2020;1,5\n02.02.2020;3\n", {"a": [1.5, 3]}, TEXT),
    "European dates and times": _read("Datum;Zeit;a\n1.2.20;12:30;1,5\n2.2.20;13:00;3\n", {"a": [1.5, 3]}, TEXT),
    "American dates": _read("date,a\n1/31/2020,1.5\n2/28/2020,3\n", {"a": [1.5, 3]}, TEXT),
    "Korean dates": _read("일자,a\n2020년 1월,1.5\n2020년 2월,3\n", {"a": [1.5, 3]}, TEXT),
    # Thousands.
    "thousands, quoted": _read('a,b\n"1,250",2\n"3,500.5",4\n', {"a": [1250, 3500.5], "b": [2, 4]}, "Marks between"),
    "thousands, quoted, alone": _read('a,b\n"1,250",2\n"3,500",4\n', {"a": [1250, 3500], "b": [2, 4]}, "Marks between"),
    "German thousands": _read("a;b\n1.250,5;2\n3.500;4\n", {"a": [1250.5, 3500], "b": [2, 4]}, "Marks between"),
    "millions": _read("a;b\n1,250,000;2\n3,500,000;4\n", {"a": [1250000, 3500000], "b": [2, 4]}, "Marks between"),
    "lakhs": _read('a,b\n"1,25,000",2\n"3,50,000",4\n', {"a": [125000, 350000], "b": [2, 4]}, "Marks between"),
    "French": _read("a;b\n1\u202f250,5;2\n3\u00a0500;4\n", {"a": [1250.5, 3500], "b": [2, 4]}, "Marks between"),
    "thousands by spaces": _read("a;b\n1 250,5;2\n3 500;4\n", {"a": [1250.5, 3500], "b": [2, 4]}, "Marks between"),
    "Swiss": _read("a;b\n1'250.5;2\n3’500;4\n", {"a": [1250.5, 3500], "b": [2, 4]}, "Marks between"),
    "three decimals that begin with 0": _read("a;b\n0,250;2\n1,125;4\n", {"a": [0.25, 1.125], "b": [2, 4]}),
    "three decimals, points": _read("a,b\n1.250,2\n3.125,4\n", {"a": [1.25, 3.125], "b": [2, 4]}),
    "1,250 between semicolons": _refused("a;b\n1,250;2\n3,500;4\n", "1,250 can be 1250 or 1.25"),
    "1,250 between tabs": _refused("a\tb\n1,250\t2\n3,500\t4\n", "1,250 can be 1250 or 1.25"),
    "1.250 between semicolons": _refused("a;b\n1.250;2\n3.500;4\n", "1.250 can be 1250 or 1.25"),
    "points and commas": _refused("a;b\n1.5;2,5\n3.5;4,5\n", r"\(1\.5 and 2,5\)"),
    "one or two columns": _refused("a\n0,1\n1,2\n2,3\n", "0,1 can be one number or two"),
    "a column of thousands by spaces": _refused("a\n1 250\n2 300\n", "1 250 can be one number or two"),
    # Names, and what stands above and below.
    "no names": _read("1.5,2.5\n3,4.5\n5,6.5\n", COLUMNS, NO_NAMES),
    "no names, a gap first": _read("1.5,\n3,4.5\n5,6.5\n", {"column 1": [1.5, 3, 5], "column 2": [4.5, 4.5, 6.5]},
                                           NO_NAMES, NAN_FILLED),
    "no names, NA first": _read("NA,2.5\n3,4.5\n5,6.5\n", {"column 1": [3, 3, 5], "column 2": [2.5, 4.5, 6.5]},
                                NO_NAMES, NAN_FILLED),
    "no names, a date first": _read("2020-01-01,1.5\n2020-01-02,3\n", {"column 2": [1.5, 3]}, NO_NAMES, TEXT),
    "no names, date and NA": _read("2020-01-01,NA,1\n2020-01-02,3,2\n", {"column 2": [3, 3], "column 3": [1, 2]},
                                           NO_NAMES, TEXT, NAN_FILLED),
    "a title": _read("Sales of 2020\na,b\n1.5,2\n3,4\n", A_B, ABOVE),
    "a title in a wide row": _read("Sales of 2020,\n,\na,b\n1.5,2\n3,4\n", A_B, ABOVE),
    "a title over numbers without names": _read("My numbers\n1.5;2,5\n".replace("1.5", "1,5") + "3,0;4,5\n5,0;6,5\n",
                                                COLUMNS, NO_NAMES, ABOVE),
    "comments": _read("# by a logger\n# in 2020\na,b\n1.5,2\n3,4\n", A_B, ABOVE),
    "numpy.savetxt": _read("# a b\n1.5 2\n3 4\n", A_B),
    "units below the names": _read("a;b\n[s];[kW]\n1,5;2\n3;4\n", A_B, ABOVE),
    "units below the names, bare": _read("a,b\nm/s,hPa\n1.5,2\n3,4\n", A_B, ABOVE),
    "a station's lines": _read("Station,Seoul\nLatitude,37.5\na,b\n1.5,2\n3,4\n", A_B, ABOVE),
    "years as names": _read("city,2019,2020\nSeoul,1.5,2\nBusan,3,4\n", {"2019": [1.5, 3], "2020": [2, 4]}, TEXT),
    "pandas' index": _read(",a,b\n0,1.5,2\n1,3,4\n", {"column 1": [0, 1], **A_B}),
    "R's row names": _read("a b\n1 1.5 2\n2 3 4\n", {"column 1": [1, 2], **A_B}, "The first column has no name"),
    "the same name twice": _read("a,a\n1.5,2\n3,4\n", {"a": [1.5, 3], "a (2)": [2, 4]}),
    "a name is missing": _read("a,\n1.5,2\n3,4\n", {"a": [1.5, 3], "column 2": [2, 4]}),
    "bare marks at the end": _read("a,b\n1.5,2\n3,4\n,\n,\n", A_B, BELOW),
    "a source at the end": _read("a,b\n1.5,2\n3,4\n\nSource: a friend\n", A_B, BELOW),
    "a German station": _read(
        "Station;4711;;\nName;Berlin;;\n;;;\nDatum;a;b;c\n01.01.2020;1,5;2;0\n02.01.2020;3;4;1,25\n",
        {**A_B, "c": [0, 1.25]}, ABOVE, TEXT,
    ),
    "one column, some with a decimal comma": _read("load\n1,5\n2\n3,25\n", {"load": [1.5, 2, 3.25]}),
    "lines in quotation marks": _read('"a,b"\n"1.5,2"\n"3,4"\n', A_B),
    "days of some months": _read("Tag;a\n01.02;1,5\n13.02;3\n", {"a": [1.5, 3]}, TEXT),
    "inches": _read('name,a\n"5" pipe,1.5\n6" pipe,3\n', {"a": [1.5, 3]}, TEXT),
    "time by spaces": _read("2020-01-01 00:00 1.5\n2020-01-01 01:00 3\n", {"column 3": [1.5, 3]}, NO_NAMES, TEXT),
    "a table in Markdown": _read("| a | b |\n|---|---|\n| 1.5 | 2 |\n| 3 | 4 |\n", A_B, ABOVE, EMPTY),
    "a gap at the end": _read("t,a\n2020-01-01,1\n2020-01-02,2\n2020-01-03,\n", {"a": [1, 2, 2]}, TEXT, NAN_FILLED),
    "years beside two words": _read("city,code,2019,2020\nSeoul,S,1.5,2\nBusan,B,3,4\n",
                                    {"2019": [1.5, 3], "2020": [2, 4]}, TEXT),
    "names in two lines": _read("x,x\na,b\n1.5,2\n3,4\n", A_B, ABOVE),
    "names with commas": _read("a, kW;b, €\n1,5;2\n3;4\n", {"a, kW": [1.5, 3], "b, €": [2, 4]}),
    "a remark in one line": _refused("a,b\n1,2\n3,4\n5,6,remark\n7,8\n", "Line 4 has 3 cells: expected 2"),
    # Gaps and signs.
    "a hyphen for a gap": _read("a,b\n1.5,2\n-,4\n3,6\n", {"a": [1.5, 2.25, 3], "b": [2, 4, 6]}, NAN_FILLED),
    "a question mark for a gap": _read("a,b\n1.5,2\n?,4\n3,6\n", {"a": [1.5, 2.25, 3], "b": [2, 4, 6]}, NAN_FILLED),
    "a Korean word for a gap": _read("a,b\n1.5,2\n결측,4\n3,6\n", {"a": [1.5, 2.25, 3], "b": [2, 4, 6]}, NAN_FILLED),
    "Excel's error": _read("a;b\n1,5;2\n#NV;4\n3;6\n", {"a": [1.5, 2.25, 3], "b": [2, 4, 6]}, NAN_FILLED),
    "one cell of words": _read("a,b\n1.5,2\nbroken,4\n3,6\n4,8\n", {"a": [1.5, 2.25, 3, 4], "b": [2, 4, 6, 8]}, CELLS,
                               NAN_FILLED),
    "a short line": _read("a,b\n1.5,2\n3\n4,6\n", {"a": [1.5, 3, 4], "b": [2, 4, 6]}, NAN_FILLED),
    "dollars": _read('a,b\n"$1,250.50",2\n$3,4\n', {"a": [1250.5, 3], "b": [2, 4]}, "Signs of money", "Marks between"),
    "euros": _read("a;b\n1,50 €;2\n3,00 €;4\n", A_B, "Signs of money"),
    "won": _read('a,b\n₩1250,2\n-₩3000,4\n', {"a": [1250, -3000], "b": [2, 4]}, "Signs of money"),
    "per cent": _read("a,b\n1.5 %,2\n3%,4\n", A_B, "Signs of money"),
    "a true minus": _read("a,b\n−1.5,2\n3,4\n", {"a": [-1.5, 3], "b": [2, 4]}),
    "numbers as words": _refused("a,b\nx,y\nz,w\n", r"None of the columns holds numbers \(a, b\)"),
    "a code that only begins like a number": _read("id,a\n1_000,1.5\n2_000,3\n", {"a": [1.5, 3]}, TEXT),
    # Encodings.
    "UTF-8 with a mark": _read("a,b\n1.5,2\n3,4\n", A_B, encoding="utf-8-sig"),
    "Excel's Unicode text": _read("a\tb\n1,5\t2\n3\t4\n", A_B, "The file is not UTF-8", encoding="utf-16"),
    "UTF-16 without a mark": _read("a,b\n1.5,2\n3,4\n", A_B, "The file is not UTF-8", encoding="utf-16-be"),
    **{
        f"{name} in {encoding}": _read(
            f"{name},b\n1.5,2\n3,4\n", {name: [1.5, 3], "b": [2, 4]}, "The file is not UTF-8", encoding=encoding
        )
        for name, encoding in [
            ("값", "cp949"), ("날짜와 기온", "cp949"), ("매출", "cp949"), ("サンプル", "cp932"), ("気温", "cp932"),
            ("売上高", "cp932"), ("温度", "gb18030"), ("销售额", "gb18030"), ("年份 产量", "gb18030"),
            ("銷售額", "big5hkscs"), ("溫度", "big5hkscs"), ("Температура", "cp1251"), ("выручка", "cp1251"),
            ("Температура", "koi8-r"), ("Größe", "cp1252"), ("température", "cp1252"), ("año", "cp1252"),
            ("Straße °C", "cp1252"), ("é", "cp1252"), ("wartość", "cp1250"), ("město", "cp1250"),
            ("Θερμοκρασία", "cp1253"), ("תאריך", "cp1255"), ("تاريخ", "cp1256"),
        ]
    },
}  # fmt: skip
