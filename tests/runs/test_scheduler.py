"""The cluster that a setting names: nobody waits for it, and what is wrong with it is remembered for a while."""

from __future__ import annotations

import ast
import sys
import threading
import time
from pathlib import Path

import pytest

from lstm_explorer import extras
from lstm_explorer.runs import scheduler
from lstm_explorer.runs.scheduler import TROUBLES, Scheduler
from lstm_explorer.runs.training.rounds import Rounds
from lstm_explorer.ui.elsewhere import Elsewhere
from tests.runs.cluster.here import HereLink

PACKAGE = Path(scheduler.__file__).resolve().parents[1]
ADDRESS = "tcp://10.1.2.3:8786"


class Links:
    """Makes links in place of real ones, which takes as long as the gate is closed."""

    def __init__(self):
        self.made, self.threads, self.fails, self.gate = [], 2, None, threading.Event()
        self.gate.set()

    def __call__(self, address):
        assert address == ADDRESS
        self.gate.wait(20)
        if self.fails:
            raise self.fails
        self.made.append(HereLink(self.threads))
        return self.made[-1]


@pytest.fixture
def links(monkeypatch):
    cluster_link = pytest.importorskip("lstm_explorer.runs.cluster.link", reason="the extra cluster is not installed")
    links = Links()
    monkeypatch.setattr(cluster_link, "Link", links)
    return links


def settled(one):
    """Ask, and ask again when nobody looks any more."""
    one.link()
    end = time.monotonic() + 20
    while one._since:
        assert time.monotonic() < end
        time.sleep(0.005)
    return one.link()


def imported_at_once(path):
    """Yield what is imported with a module, not by one of its functions or for its types alone."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}."


def test_without_the_setting_there_is_none_and_dask_is_not_imported(monkeypatch):
    monkeypatch.delenv(scheduler.VARIABLE, raising=False)
    monkeypatch.setattr(scheduler, "Scheduler", lambda address: pytest.fail("Dask would be imported"))
    assert list(Rounds([], None).round()) == []
    assert not Elsewhere().measures(None, 1, None, None)
    with_it = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for name in imported_at_once(path)
        if name.startswith(("dask", "distributed", "lstm_explorer.runs.cluster"))
    }
    assert with_it == {"runs/cluster/link.py", "runs/cluster/workers.py"}


def test_the_setting_names_one_for_the_whole_process(monkeypatch):
    monkeypatch.setenv(scheduler.VARIABLE, ADDRESS)
    assert scheduler.scheduler() is scheduler.scheduler()
    monkeypatch.setenv(scheduler.VARIABLE, "")
    assert scheduler.scheduler() is None


def test_who_asks_does_not_wait_and_it_is_connected_once(links):
    one = Scheduler(ADDRESS)
    links.gate.clear()
    began = time.monotonic()
    assert all(one.link() is None for _ask in range(3))
    assert time.monotonic() - began < 2
    assert one.trouble == ""
    links.gate.set()
    assert settled(one) is links.made[0]
    assert len(links.made) == 1


@pytest.mark.parametrize(
    ("fails", "threads", "trouble"),
    [(ValueError("no scheduler answers"), 2, "silent"), (None, 0, "empty"), (MemoryError(), 2, "silent")],
)
def test_trouble_is_logged_and_remembered_and_looked_at_again(links, monkeypatch, caplog, fails, threads, trouble):
    one, links.fails, links.threads = Scheduler(ADDRESS), fails, threads
    assert settled(one) is None
    assert one.trouble == trouble
    assert ADDRESS in caplog.text
    assert ADDRESS not in TROUBLES[trouble]
    links.fails = None
    for link in links.made:
        link.threads = 2
    assert settled(one) is None  # it is not looked for at every ask
    monkeypatch.setattr(one, "_due", 0.0)
    links.threads = 2
    assert settled(one) is links.made[-1]
    assert one.trouble == ""


def test_what_is_lost_is_closed_and_connected_anew_half_a_minute_later(links, monkeypatch):
    one = Scheduler(ADDRESS)
    first = settled(one)
    began = time.monotonic()
    one.give_up("silent", "the scheduler is lost")
    assert settled(one) is None
    assert 25 < one._due - began < 35
    monkeypatch.setattr(one, "_due", 0.0)
    assert settled(one) is links.made[1]
    assert first.closed


def test_one_that_says_nothing_any_more_is_done_without(links, monkeypatch):
    one = Scheduler(ADDRESS)
    link, gate = settled(one), threading.Event()
    monkeypatch.setattr(link, "count", lambda: gate.wait(20))
    monkeypatch.setattr(one, "_due", 0.0)
    assert one.link() is link
    monkeypatch.setattr(scheduler, "_OVERDUE", 0.0)
    assert one.link() is None
    assert one.trouble == "silent"
    gate.set()
    monkeypatch.setattr(scheduler, "_OVERDUE", 9.0)
    assert settled(one) is link


def test_without_the_extra_it_says_how_to_install_it(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("lstm_explorer.runs.cluster")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(extras, "find_spec", lambda module: None if module == "distributed" else "there")
    one = Scheduler(ADDRESS)
    assert settled(one) is None
    assert one.trouble == "missing"
    assert 'pip install "lstm-explorer[cluster]"' in TROUBLES["missing"]
