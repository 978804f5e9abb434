"""The app's runner: cached results, one piece per run, and refusals that say what to lower."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment, OwnTable
from lstm_explorer.runs.jacobians import Exponents, Products
from lstm_explorer.runs.measurements import Flow, Map
from lstm_explorer.ui import errors, runner, work
from lstm_explorer.ui.result_cache import ResultCache
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.turns import Turns

SETTINGS = lx.Settings(sequence_length=5, hidden_size=3, num_seeds=4)
BIASES = (0.0, 1.0, 2.0)


def flow_job(**changes):
    return Flow(experiment=Experiment(architecture="gru", settings=SETTINGS.replace(**changes)))


def map_job(**changes):
    one = Experiment(architecture="gru", settings=SETTINGS.replace(**changes))
    return Map(experiment=one, gate="update", biases=BIASES)


@pytest.fixture
def page(monkeypatch):
    """An empty session and cache; what was drawn on the page, and the pieces that were measured."""
    page = SimpleNamespace(boxes=[], progress=[], measured=[])
    ui = SimpleNamespace(
        session_state={}, warning=lambda text, **_options: page.boxes.append(text),
        error=lambda text, **_options: page.boxes.append(text),
        progress=lambda share, text: page.progress.append(text), button=lambda *_arguments, **_options: None,
    )  # fmt: skip
    monkeypatch.setattr(errors, "st", ui)
    monkeypatch.setattr(work, "st", ui)
    monkeypatch.setattr(work, "_ALL_KEPT", weakref.WeakValueDictionary())  # other tests' sessions may not have ended
    monkeypatch.setattr(runner, "compile_recurrences", lambda: None)
    monkeypatch.setattr(runner, "RESULTS", ResultCache())
    measure = runner._measure

    def counted(job, first, last, *carried):
        page.measured.append((first, last))
        return measure(job, first, last, *carried)

    monkeypatch.setattr(runner, "_measure", counted)
    return page


def test_a_small_job_is_what_the_core_measures_and_measured_once_for_all_sessions(page):
    for _session in range(2):
        flow = CachedRunner().run(flow_job())
    torch.testing.assert_close(flow.log10_hidden, lx.seed_flows(SETTINGS, architecture="gru").log10_hidden)
    assert page.measured == [(0, 4)]
    assert not page.progress


@pytest.mark.parametrize(("job", "unit"), [(flow_job(), "seeds"), (map_job(), "biases")])
def test_a_large_job_grows_by_a_piece_every_run_and_no_piece_is_measured_twice(page, monkeypatch, job, unit):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", job.work)
    lengths = [len(CachedRunner().run(job).log10_hidden) for _run in range(job.total + 1)]
    assert lengths == [*range(1, job.total + 1), job.total]
    assert page.measured == [(n, n + 1) for n in range(job.total)]
    assert page.progress == [f"{n} of {job.total} {unit}" for n in range(1, job.total)]


def test_only_the_last_piece_keeps_what_it_passes_on(page, monkeypatch):
    one = Experiment(architecture="gru", settings=SETTINGS.replace(num_seeds=1))
    job = Products(experiment=one)
    monkeypatch.setattr(runner, "_WORK_PER_RUN", job.work)
    for _run in range(5):
        flow = CachedRunner().run(job)
    (pieces,) = work.st.session_state["work_parts"].values()
    assert len(pieces) == 5
    assert pieces.carried[0].rows.shape == (1, 3, 3)
    exact = lx.jacobian_flow(one.network, one.inputs).log10_singular_values
    torch.testing.assert_close(flow.log10_singular_values.float(), exact)


def test_what_the_core_explains_is_shown_once_for_all_figures(page):
    relu = {
        "nonlinearity": "relu",
        "recurrent_init": "identity",
        "recurrent_gain": 100.0,
        "sequence_length": 60,
        "num_seeds": 1,
    }
    one = Experiment(architecture="rnn", settings=SETTINGS.replace(**relu))
    both = CachedRunner()
    assert both.run(Products(experiment=one)) is None
    assert both.run(Exponents(experiment=one)) is None
    assert len(page.boxes) == 1
    assert "left the range of float32" in page.boxes[0]


def test_two_figures_of_one_measurement_make_one_piece_a_run(page, monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 1)
    both = CachedRunner()
    assert both.run(flow_job()) is both.run(flow_job())
    assert page.measured == [(0, 1)]
    assert page.progress == ["1 of 4 seeds"]


def test_a_run_too_large_is_refused_with_its_product_and_once_for_all_figures(page, monkeypatch):
    monkeypatch.setattr(runner, "LARGEST_RUN", 14)
    one = CachedRunner()
    assert one.run(flow_job()) is None
    assert one.run(map_job()) is None
    assert len(page.boxes) == 1
    assert "their product is 15 and may be 14" in page.boxes[0].replace("\\", "")
    assert not page.measured


def test_a_result_too_large_names_what_to_lower(page, monkeypatch):
    monkeypatch.setattr(runner, "LARGEST_RESULT", 5 * 4 - 1)
    assert CachedRunner().run(flow_job()) is None
    assert "would hold 20 numbers; this server keeps 19. Lower the seeds (4)" in page.boxes[0].replace("\\", "")


def test_a_page_holds_so_many_numbers_of_large_maps(page, monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 1)
    monkeypatch.setattr(runner, "LARGEST_PAGE", map_job().result_numbers)
    one = CachedRunner()
    assert one.run(map_job()) is not None
    assert one.run(map_job(seed=9)) is None
    assert "Take a map out of the report" in page.boxes[0]


def test_large_measurements_of_other_readers_count_until_their_sessions_end(page, monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 1)
    monkeypatch.setattr(runner, "LARGEST_SERVER", map_job().result_numbers)
    mine, others = work.st.session_state, {}
    work.st.session_state = others
    assert CachedRunner().run(map_job()) is not None
    work.st.session_state = mine
    assert CachedRunner().run(map_job(seed=9)) is None
    assert "try again in some minutes" in page.boxes[0]
    others.clear()
    gc.collect()
    assert CachedRunner().run(map_job(seed=9)) is not None
    assert CachedRunner().run(map_job(seed=9)) is not None  # its own numbers do not stand in its way


@pytest.mark.parametrize(
    ("limit", "says"),
    [("LARGEST_UNIT", "s of it at a stretch"), ("LARGEST_WORK", "it gives one 0 s")],
)
def test_work_that_is_too_much_is_refused_with_what_to_lower(page, monkeypatch, limit, says):
    job = map_job()
    monkeypatch.setattr(runner, limit, (job.total if limit == "LARGEST_WORK" else 1) * job.work - 1)
    assert CachedRunner().run(job) is None
    assert says in page.boxes[0].replace("\\", "")
    assert "the seeds (4)" in page.boxes[0].replace("\\", "")
    assert not page.measured


def test_a_run_measures_one_piece_however_many_figures_it_has(page, monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 1)
    jobs = [map_job(), map_job(seed=9)]
    runs = [[bool(one.run(job)) for job in jobs] for one in (CachedRunner() for _run in range(6))]
    assert page.measured == 2 * [(0, 1), (1, 2), (2, 3)]
    assert runs[0] == [True, False]
    assert runs[-1] == [True, True]
    assert page.progress[:2] == ["1 of 3 biases", "0 of 3 biases"]


def test_a_reader_who_left_is_not_measured_for_and_holds_up_nobody(page, monkeypatch):
    class LeftError(BaseException):
        """As Streamlit's own: not an Exception."""

    def leave():
        raise LeftError

    monkeypatch.setattr(runner, "_AT_ONCE", 0)
    with monkeypatch.context() as gone:
        gone.setattr(runner, "let_go", leave)
        gone.setattr(type(flow_job()), "piece", lambda *_arguments: pytest.fail("measured for nobody"))
        with pytest.raises(LeftError):
            CachedRunner().run(flow_job())
    assert CachedRunner().run(flow_job()) is not None


def test_without_a_table_nothing_is_measured_and_a_table_of_the_wrong_width_is_the_core_s_refusal(page):
    assert CachedRunner().run(flow_job(input_kind="csv")) is None
    assert "No table is loaded" in page.boxes[0]
    table = OwnTable.of([[1.0], [2.0]])
    reading = Experiment(architecture="gru", settings=SETTINGS.replace(input_kind="csv"), table=table)
    assert CachedRunner().run(Flow(experiment=reading)) is None
    assert "expected input_size=8" in page.boxes[1].replace("\\", "")


@dataclass(frozen=True)
class Counting:
    """A job whose pieces add up: each starts from what the one before it carried."""

    experiment: Experiment
    unit, carries = "seeds", True
    total, work, result_numbers = 4, 1.0, 4

    def piece(self, first, last, carried=None):
        reached = (carried or 0) + last - first
        return [reached], reached

    def join(self, pieces):
        return [number for piece in pieces for number in piece]


def test_what_a_piece_carries_reaches_the_next_also_where_it_was_kept(page, monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 1)
    job = Counting(Experiment(architecture="gru", settings=SETTINGS))
    assert [CachedRunner().run(job) for _run in range(5)][-1] == [1, 2, 3, 4]
    assert DirectRunner().run(job) == [4]  # in one piece


def test_the_cache_of_all_sessions_keeps_no_table(page, monkeypatch):
    table = OwnTable.of(np.ones((20, 8)))
    reading = Experiment(architecture="gru", settings=SETTINGS.replace(input_kind="csv"), table=table)
    keys = []
    monkeypatch.setattr(runner.RESULTS, "get", lambda key, make: keys.append(key) or make())
    assert CachedRunner().run(Flow(experiment=reading)) is not None
    ((job, _first, _last),) = keys
    assert job == Flow(experiment=reading)
    assert not np.size(job.experiment.table.values)


def test_who_finds_too_many_waiting_is_told_and_nothing_is_measured(page, monkeypatch):
    monkeypatch.setattr(runner, "_AT_ONCE", 0)
    monkeypatch.setattr(runner, "_TURNS", Turns(most_waiting=0))
    assert CachedRunner().run(flow_job(seed=77)) is None
    assert [box.startswith("Too many readers wait for a measurement") for box in page.boxes] == [True]


def test_what_takes_a_moment_does_not_wait_for_what_takes_long(page, monkeypatch):
    turns = Turns(most_waiting=1)
    monkeypatch.setattr(runner, "_TURNS", turns)
    with turns.turn("somebody"):
        assert CachedRunner().run(flow_job(seed=78)) is not None
