"""Long work of a session: one more piece each run, stopped and continued by a click, and dropped when it is old."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit.errors import StreamlitAPIException

import lstm_explorer as lx
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.measurements import Flow
from lstm_explorer.ui import work


def job_of(seed=0, num_seeds=7):
    settings = lx.Settings(seed=seed, num_seeds=num_seeds, sequence_length=3, hidden_size=2)
    return Flow(experiment=Experiment(architecture="rnn", settings=settings))


@pytest.fixture
def page(monkeypatch):
    """A session, and what was drawn on its page."""
    page = SimpleNamespace(session_state={}, drawn=[], buttons={}, reruns=[])
    fake = SimpleNamespace(
        session_state=page.session_state,
        progress=lambda share, text: page.drawn.append((share, text)),
        info=page.drawn.append,
        button=lambda label, key, on_click, args: page.buttons.update({label: (on_click, args)}),
        rerun=lambda **options: page.reruns.append(options),
    )
    monkeypatch.setattr(work, "st", fake)
    page.st = fake
    return page


def run(job, size=3):
    return work.pieces_so_far(job, size, lambda first, last: (first, last))


def test_every_run_has_one_piece_more_until_all_are_there(page):
    job = job_of()
    assert run(job) == [(0, 3)]
    assert run(job) == [(0, 3), (3, 6)]
    assert run(job) == [(0, 3), (3, 6), (6, 7)]
    assert run(job) == [(0, 3), (3, 6), (6, 7)]
    assert page.drawn == [(3 / 7, "3 of 7 seeds"), (6 / 7, "6 of 7 seeds")]


def test_a_stopped_job_stays_where_it_is_until_it_is_continued(page):
    job = job_of()
    run(job)
    stop, arguments = page.buttons["Stop here"]
    stop(*arguments)
    assert run(job) == run(job) == [(0, 3)]
    assert page.drawn[-1] == "Stopped: the picture shows 3 of 7 seeds."
    go_on, arguments = page.buttons["Go on"]
    go_on(*arguments)
    assert run(job) == [(0, 3), (3, 6)]


def test_only_an_incomplete_run_is_followed_by_another(page):
    work.continue_work()
    assert page.reruns == []
    run(job_of())
    work.continue_work()
    work.continue_work()
    assert page.reruns == [{"scope": "fragment"}]


def test_a_stopped_job_runs_nothing_again(page):
    job = job_of()
    run(job)
    work.continue_work()
    stop, arguments = page.buttons["Stop here"]
    stop(*arguments)
    run(job)
    work.continue_work()
    assert len(page.reruns) == 1


def test_outside_a_fragment_the_whole_page_runs_again(page):
    def rerun(**options):
        page.reruns.append(options)
        if options:
            raise StreamlitAPIException

    page.st.rerun = rerun
    run(job_of())
    work.continue_work()
    assert page.reruns == [{"scope": "fragment"}, {}]


def test_pieces_are_kept_from_run_to_run_and_the_oldest_jobs_dropped(page):
    jobs = [job_of(seed) for seed in range(5)]
    for job in jobs[:4]:
        run(job)
        work.measured_pieces(job, {job})[0] = job.experiment.settings.seed
    assert work.measured_pieces(jobs[3], {jobs[3]}) == {0: 3}
    assert work.measured_pieces(jobs[0], {jobs[0]}) == {}  # dropped
    assert run(jobs[0]) == [(0, 3)]  # and begun anew, one piece at a time


def test_the_jobs_of_one_run_are_all_kept_however_many(page):
    jobs = [job_of(seed) for seed in range(6)]
    for job in jobs:
        work.measured_pieces(job, jobs)[0] = "done"
    assert all(work.measured_pieces(job, jobs) == {0: "done"} for job in jobs)


def test_pieces_that_a_session_has_not_asked_for_lately_are_dropped_and_measured_anew(page, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(work.time, "monotonic", lambda: now[0])
    job = job_of()
    work.measured_pieces(job, {job})[0] = "done"
    run(job)
    assert run(job) == [(0, 3), (3, 6)]
    now[0] += 50
    work.drop_unused_pieces(60)
    assert work.measured_pieces(job, {job}) == {0: "done"}
    now[0] += 61
    work.drop_unused_pieces(60)
    assert work.measured_pieces(job, {job}) == {}
    assert run(job) == [(0, 3)]


def test_who_waits_is_told_the_place_once_it_takes_a_while_and_who_left_gives_it_up(monkeypatch):
    said, asked = [], []

    place = SimpleNamespace(caption=said.append, empty=lambda: said.append("-"))
    ui = SimpleNamespace(session_state=SimpleNamespace(get=asked.append), empty=lambda: place)
    monkeypatch.setattr(work, "st", ui)
    monkeypatch.setattr(work, "time", SimpleNamespace(monotonic=iter([0, 0.5, 1.5, 2.0, 2.5]).__next__))
    waiting = work.Waiting()
    for before in (3, 3, 3, 2):
        waiting(before)
    waiting.over()
    assert [text[-1] for text in said] == ["3", "2", "-"]
    assert len(asked) == 4
