"""The bytes of a file: plain files within the limit, and archives that are no larger than they are."""

import io
import json
import os
import zipfile

import pytest
from hostile_checkpoints import LEGACY, LSTM, zipped

from lstm_explorer.core.checkpoints import reading
from lstm_explorer.core.checkpoints.messages import CheckpointError
from lstm_explorer.core.checkpoints.reading import (
    MAX_BYTES,
    MAX_TEXT,
    check_once,
    file_bytes,
    format_of,
    open_zip,
    patched,
    read_json,
    read_part,
    rewritten_zip,
)


@pytest.mark.parametrize("kind", [str, lambda path: path, bytes, bytearray, memoryview])
def test_paths_and_bytes_are_the_same(tmp_path, kind):
    path = tmp_path / "lstm.pt"
    path.write_bytes(LSTM)
    assert file_bytes(kind(LSTM if kind in (bytes, bytearray, memoryview) else path)) == LSTM


def odd(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(5 * 10**9)
    (tmp_path / "empty").touch()
    return {
        "pipe": "no plain file", "large": "5000 MB: expected at most 200 MB", "empty": "empty", ".": "no plain file",
        "missing": "No such file", "a\0b": "null", "x" * 5000: "too long", "\ud800": "can.t encode", "": "plain",
    }  # fmt: skip


def test_what_is_no_plain_file_is_refused_unread(tmp_path):
    for name, said in (
        odd(tmp_path) | {"/dev/zero": "no plain file", "/proc/self/mem": "cannot be read|empty"}
    ).items():
        with pytest.raises(CheckpointError, match=said) as refused:
            file_bytes(os.path.join(tmp_path, name))
        str(refused.value).encode()


def test_a_file_that_grows_is_read_to_the_limit(monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 9)
    with pytest.raises(CheckpointError, match="expected at most"):
        file_bytes(b"0123456789")
    with pytest.raises(CheckpointError, match="expected at most"):
        file_bytes("/proc/self/maps")  # which says that it has no bytes
    assert MAX_BYTES == 200_000_000


@pytest.mark.parametrize("wrong", [3, True, None, io.BytesIO(LSTM), ["a.pt"]])
def test_other_kinds_are_refused(wrong):
    with pytest.raises(TypeError, match="expected a path or bytes"):
        file_bytes(wrong)


def test_formats_are_told_by_the_first_bytes():
    assert (format_of(LSTM), format_of(LEGACY)) == ("zip", "legacy")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([("constants.pkl", b"")], "scripted"),
        ([("a", b""), ("b", b""), ("a", b"")], "a stands in the file twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_that_are_refused(parts, said):
    with pytest.raises(CheckpointError, match=said):
        open_zip(zipped(parts))


def test_a_part_has_the_place_that_pytorch_gives_it():
    file = zipped([("a/data.pkl", b"1" * 99), ("a/데이터", b"2" * 99), ("a/b", b"3" * 99)])
    new = rewritten_zip(file, {"a/데이터": b"4" * 99})
    with zipfile.ZipFile(io.BytesIO(new)) as archive:
        assert {name: archive.read(name)[:1] for name in archive.namelist()} == {
            "a/data.pkl": b"1", "a/데이터": b"4", "a/b": b"3",
        }  # fmt: skip
    assert [new.index(bytes([sign]) * 99) % 64 for sign in b"143"] == [0, 0, 0]


def test_what_is_patched_keeps_its_length():
    assert patched(b"abcdef", {}) == b"abcdef"
    assert patched(b"abcdef", {0: b"A", 3: bytearray(b"DEF")}) == b"AbcDEF"


def test_texts_are_short():
    with (
        open_zip(zipped([("a", bytes(MAX_TEXT + 1))])) as archive,
        pytest.raises(CheckpointError, match="a in the file"),
    ):
        read_part(archive, "a")
    with pytest.raises(CheckpointError, match="JSON in the file has more"):
        read_json(b" " * (MAX_TEXT + 1))
    assert read_json(json.dumps({"a": [1, {"b": None}]})) == {"a": [1, {"b": None}]}
    assert check_once(["a", "b"]) is None
