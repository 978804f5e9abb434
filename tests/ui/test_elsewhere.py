"""Long work of a page on the server's cluster: several pieces at once, one box where it fails, and the same numbers."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.jacobians import Products
from lstm_explorer.runs.measurements import Flow, Map
from lstm_explorer.runs.scheduler import VARIABLE
from lstm_explorer.ui import elsewhere, errors, runner, work
from lstm_explorer.ui.runner import CachedRunner
from tests.runs.cluster.here import HereLink, Named

cluster_link = pytest.importorskip("lstm_explorer.runs.cluster.link", reason="the extra cluster is not installed")

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"
SETTINGS = lx.Settings(sequence_length=9, hidden_size=3, num_seeds=1)
BIASES = tuple(map(float, range(-4, 4)))


def map_job(seed=0):
    one = Experiment(architecture="gru", settings=SETTINGS.replace(seed=seed))
    return Map(experiment=one, gate="update", biases=BIASES)


@pytest.fixture
def page(monkeypatch):
    """A session without a browser, on a server with a cluster; what was drawn, and what was measured here."""
    link = HereLink()
    page = SimpleNamespace(boxes=[], captions=[], progress=[], buttons={}, here=[], link=link, named=Named(link))
    ui = SimpleNamespace(
        session_state={}, warning=lambda text, **_options: page.boxes.append(text),
        error=lambda text, **_options: page.boxes.append(text), caption=page.captions.append,
        info=lambda text: page.progress.append(text), rerun=lambda **_options: None,
        progress=lambda share, text: page.progress.append(text),
        button=lambda label, on_click, args, **_options: page.buttons.update({label: lambda: on_click(*args)}),
    )  # fmt: skip
    for module in (elsewhere, errors, work):
        monkeypatch.setattr(module, "st", ui)
    monkeypatch.setattr(elsewhere, "scheduler", lambda: page.named)
    monkeypatch.setattr(runner, "compile_recurrences", lambda: None)
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 1)
    measure = runner._measure

    def counted(job, first, last, *carried):
        page.here.append(first)
        return measure(job, first, last, *carried)

    monkeypatch.setattr(runner, "_measure", counted)
    return page


def run(*jobs):
    """Run a page once."""
    one = CachedRunner()
    found = [one.run(job) for job in jobs]
    work.continue_work()
    return found[0]


def under_way(job):
    return list(work.st.session_state["work_parts"][job].under_way)


@pytest.mark.parametrize(
    "job", [map_job(), Products(experiment=map_job().experiment)], ids=["at once", "carries a state"]
)
def test_the_numbers_are_those_measured_here_and_it_is_said_once(page, monkeypatch, job):
    there = [run(job) for _run in range(12)][-1]
    assert page.here == []
    assert len(page.link.submitted) == job.total  # and none of them twice
    monkeypatch.setattr(elsewhere, "scheduler", lambda: None)
    monkeypatch.setattr(work.st, "session_state", {})
    here = [run(job) for _run in range(12)][-1]
    for name in ("log10_hidden", "log10_singular_values"):
        assert not hasattr(here, name) or torch.equal(getattr(there, name), getattr(here, name))
    assert page.captions == 12 * ["Measured on the cluster of this server (workers: 2)."]
    assert page.boxes == []


def test_so_many_pieces_are_under_way_until_they_arrive_and_none_is_handed_over_twice(page):
    job, chain = map_job(), Products(experiment=map_job().experiment)
    page.link.held = True
    for _run in range(3):
        assert run(job) is None
        assert under_way(job) == [0, 1, 2, 3]  # two for each thread
        assert page.progress[-1] == "0 of 8 biases"
    page.link.threads = 3
    assert run(job, chain) is None
    assert (under_way(job), under_way(chain)) == ([0, 1, 2, 3, 4, 5], [])  # all that one session may have
    page.link.held = False
    assert len(run(job).biases) == 6
    run(chain)
    page.link.held = True
    run(chain)
    assert len(under_way(chain)) == 2
    assert page.here == []


def test_stopping_and_choosing_something_else_let_go_of_what_is_under_way(page):
    job, other = map_job(), map_job(seed=5)
    page.link.held = True
    run(job)
    page.buttons["Stop here"]()
    assert under_way(job) == []
    page.link.held = False
    assert len(run(job).biases) == 1  # measured here: a picture with nothing says nothing
    assert page.progress[-1] == "Stopped: the picture shows 1 of 8 biases."
    page.buttons["Go on"]()
    assert len(run(job).biases) == 5
    page.link.held = True
    run(job)
    run(other)
    assert (under_way(job), under_way(other)) == ([], [0])  # as much as there was room for
    run(other)
    assert len(under_way(other)) == 4
    work.enter("inside")
    assert under_way(other) == []
    assert page.here == [0]


@pytest.mark.parametrize(
    ("error", "trouble", "measured_here"),
    [
        (cluster_link.LostError("gone"), "does not answer", [4, 5, 6, 7]),
        (cluster_link.FailedError("KilledWorker"), "could not do their part", [4, 5, 6, 7]),
    ],
)
def test_where_it_is_lost_on_the_way_the_rest_is_measured_here_and_one_box_says_why(
    page, error, trouble, measured_here
):
    job = map_job()
    assert len(run(job, job).biases) == 4
    page.link.raises = error
    for done in (5, 6, 7, 8, 8):
        found = run(job, map_job())
        assert len(found.biases) == done
    assert page.here == measured_here
    assert len(page.boxes) == 5  # one in every run
    assert all(trouble in box for box in page.boxes)
    assert len(page.named.reasons) == 1
    here = job.join([job.piece(first, first + 1)[0] for first in range(8)])
    assert torch.equal(found.log10_hidden, here.log10_hidden)


def test_an_error_of_the_job_itself_is_explained_as_here_and_is_not_the_cluster_s_fault(page, monkeypatch):
    def fails(*_arguments):
        raise ExplainedError("It left the range.", {})

    monkeypatch.setattr(Map, "piece", fails)
    page.link.raises = cluster_link.FailedError("ExplainedError")
    assert run(map_job()) is None
    assert page.boxes == ["It left the range\\."]
    assert page.named.reasons == []


def test_small_pictures_stay_here(page, monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 1e9)
    assert run(Flow(experiment=Experiment(architecture="rnn", settings=SETTINGS.replace(seed=77)))) is not None
    assert page.link.submitted == []
    assert page.captions == []


def test_a_scheduler_that_nobody_reaches_is_one_box_and_the_page_is_whole(monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv(VARIABLE, f"tcp://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setattr(cluster_link, "_CONNECTS", 0.2)
        monkeypatch.setattr(runner, "_WORK_PER_RUN", 700)
        at = AppTest.from_file(str(ENTRY), default_timeout=60)
        at.switch_page("pages/biases.py")
        at.query_params.update({"hidden_size": "4", "sequence_length": "30"})
        end = time.monotonic() + 30
        while not at.run().warning:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert len(at.warning) == 1
        assert "does not answer" in at.warning[0].value
        assert "127.0.0.1" not in at.warning[0].value
        assert not at.exception
        assert not at.error
        assert not at.get("progress")
        assert len(at.get("plotly_chart")) == 2
