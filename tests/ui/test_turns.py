"""One at a time, nobody barges, who has used much waits, and who leaves gives up the place."""

import threading
import time

import pytest

from lstm_explorer.ui import turns as turns_module
from lstm_explorer.ui.turns import FullError, Turns


class Clock:
    """A clock that is moved by hand."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    own = Clock()
    monkeypatch.setattr(turns_module, "time", own)
    return own


def queue_up(turns, names, done):
    """Let threads wait, in this order, and note in which they had their turn."""
    threads = []
    for at, name in enumerate(names):

        def wait(name=name):
            with turns.turn(name):
                done.append(name)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()
        deadline = time.monotonic() + 10
        while len(turns._queue) <= at and time.monotonic() < deadline:
            time.sleep(0.001)
    return threads


def use(turns, clock, who, seconds):
    with turns.turn(who):
        clock.now += seconds


def order(turns, names):
    """Return the order in which those who wait have their turns."""
    done = []
    with turns.turn("first"):
        threads = queue_up(turns, names, done)
    for thread in threads:
        thread.join(10)
    return done


def test_who_used_little_goes_in_the_order_of_arrival(clock):
    turns = Turns(10)
    for who in ("a", "b"):
        use(turns, clock, who, 0.02)
    assert order(turns, ["b", "a", "c", "a"]) == ["b", "a", "c", "a"]


def test_who_used_much_waits_for_the_others_until_it_is_forgotten(clock):
    turns = Turns(10)
    use(turns, clock, "heavy", 8.0)
    assert order(turns, ["heavy", "a", "heavy", "b"]) == ["a", "b", "heavy", "heavy"]
    clock.now += 200
    assert order(turns, ["heavy", "a"]) == ["heavy", "a"]
    assert len(turns._used) <= 3


def test_two_never_measure_at_once():
    turns, inside, most = Turns(100), [], []

    def work():
        for _ in range(5):
            with turns.turn(str(threading.get_ident())):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(most), max(most)) == (40, 1)


def test_a_place_is_told_and_can_be_given_up(monkeypatch):
    monkeypatch.setattr(turns_module, "_LOOK", 0.001)
    turns, done = Turns(10), []

    def leave(before):
        assert before == 2
        raise KeyboardInterrupt

    with turns.turn("first"):
        threads = queue_up(turns, ["a"], done)
        with pytest.raises(KeyboardInterrupt), turns.turn("b", leave):
            done.append("b")
    threads[0].join(10)
    assert done == ["a"]
    with turns.turn("c"):  # nobody is in the way
        done.append("c")


def test_an_error_in_a_turn_ends_it():
    turns = Turns(1)
    with pytest.raises(ValueError, match="inside"), turns.turn("a"):
        raise ValueError("inside")
    with turns.turn("b"):
        pass


def test_the_queue_is_bounded():
    turns, done = Turns(2), []
    with turns.turn("first"):
        threads = queue_up(turns, ["a", "b"], done)
        with pytest.raises(FullError), turns.turn("c"):
            done.append("c")
    for thread in threads:
        thread.join(10)
    assert done == ["a", "b"]
