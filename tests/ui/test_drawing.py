"""Runs draw in their order, one at a time; nobody waits long for one, and who waits or computes lets others draw."""

import threading
import time

import pytest

from lstm_explorer.ui.drawing import Drawing


def in_turn(drawing, work, many):
    """Start threads that draw, each once the one before waits or draws."""
    threads = []
    for number in range(many):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        deadline = time.monotonic() + 10
        while len(drawing._queue) < number and time.monotonic() < deadline:
            time.sleep(0.001)
    return threads


def test_runs_draw_one_at_a_time_in_the_order_in_which_they_came():
    drawing, go, inside, done = Drawing(lease=60), threading.Event(), [], []

    def work(number):
        with drawing.run():
            inside.append(number)
            go.wait(10)
            assert inside == [number]
            inside.clear()
            done.append(number)

    threads = in_turn(drawing, work, 5)
    assert (inside, done) == ([0], [])
    go.set()
    for thread in threads:
        thread.join(10)
    assert done == [0, 1, 2, 3, 4]


def test_a_fragment_is_part_of_the_run_that_draws_it():
    drawing = Drawing(lease=60)
    with drawing.run(), drawing.run():
        assert not drawing._queue


def test_nobody_waits_longer_than_the_lease():
    drawing, go, done = Drawing(lease=0.02), threading.Event(), []

    def work(number):
        with drawing.run():
            if number == 0:
                go.wait(10)
            done.append(number)

    threads = in_turn(drawing, work, 1)
    threading.Thread(target=work, args=(1,)).start()
    deadline = time.monotonic() + 10
    while not done and time.monotonic() < deadline:
        time.sleep(0.001)
    assert done == [1]
    go.set()
    threads[0].join(10)
    with drawing.run():  # one that ends late takes nobody's place
        assert drawing._inside is not None


def test_who_waits_or_computes_lets_the_others_draw():
    drawing, done = Drawing(lease=60), []

    def draw():
        with drawing.run():
            done.append("other")

    with drawing.run():
        other = threading.Thread(target=draw)
        other.start()
        with drawing.aside():
            other.join(10)
        done.append("first")
    assert done == ["other", "first"]
    with drawing.aside():  # outside of every run it is nothing
        done.append("nobody")


def test_a_failure_leaves_the_place():
    drawing = Drawing(lease=60)
    with pytest.raises(ValueError, match="inside"), drawing.run():
        raise ValueError("inside")
    with pytest.raises(KeyboardInterrupt), drawing.run(), drawing.aside():
        raise KeyboardInterrupt
    with drawing.run():
        assert drawing._inside is not None
