"""Files that were not used lately make way for new ones, and nothing keeps them alive but their session."""

import gc

from lstm_explorer.ui.room import Room


class File:
    def __init__(self, size):
        self.size = size


def test_those_used_least_lately_make_way():
    room = Room[File](10)
    old, used, new = File(4), File(4), File(4)
    for file in (old, used):
        room.add(file)
    assert room.holds(old)
    assert room.holds(used)
    assert room.holds(old)  # now used after the other
    room.add(new)
    assert [room.holds(file) for file in (old, used, new)] == [True, False, True]


def test_a_file_that_ends_with_its_session_takes_no_room():
    room = Room[File](10)
    file, other = File(6), File(4)
    room.add(other)
    room.add(file)
    del file
    gc.collect()
    room.add(File(6))
    assert room.holds(other)
