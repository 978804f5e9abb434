"""The report page under AppTest: views come in, move, are written to, and go out; the address holds them."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.ui import report, runner

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def app(page="report", **query):
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page(f"pages/{page}.py")
    at.query_params.update(query)
    return at.run()


def address_of(*items, title=""):
    return report.to_text(report.Report(title=title, items=items))


def in_address(at):
    value = at.query_params["report"]  # a text where the test set it, a list where the app did
    return report.from_text(value if isinstance(value, str) else value[0])


FIRST = report.Item(figure="journey", settings=lx.Settings(forget_bias=2.0), title="one")
SECOND = report.Item(figure="gradients", settings=lx.Settings(), view=report.EXHIBITS["gradients"].view())


def test_an_empty_report_says_what_to_do():
    assert "Add to report" in app().info[0].value


def test_a_view_is_added_on_its_page_and_found_on_the_report_s():
    at = app("start", forget_bias="3.0")
    at.button(key="journey_report").click().run()
    assert at.button(key="journey_report").label == "In the report"
    assert in_address(at).items == (report.Item(figure="journey", settings=lx.Settings(forget_bias=3.0)),)
    at.switch_page("pages/report.py").run()
    assert len(at.get("plotly_chart")) == 1
    assert "forget bias" not in at.text_input(key="item_title_0").value


def test_a_second_click_takes_it_out_again():
    at = app("start")
    at.button(key="journey_report").click().run()
    at.button(key="journey_report").click().run()
    assert "report" not in at.query_params


def test_the_lab_s_view_and_pins_go_with_it():
    at = app("gradients", scale="linear", networks="gru", pin="name=p&network=rnn&hidden_size=4")
    at.button(key="gradients_report").click().run()
    item = in_address(at).items[0]
    assert (item.view.scale, item.view.networks) == ("linear", ("gru",))
    assert item.pins == ("name=p&network=rnn&hidden_size=4",)


def test_items_move_and_go():
    at = app(report=address_of(FIRST, SECOND))
    assert at.button(key="item_up_0").disabled
    at.button(key="item_down_0").click().run()
    assert [item.figure for item in in_address(at).items] == ["gradients", "journey"]
    assert at.text_input(key="item_title_1").value == "one"
    at.button(key="item_out_0").click().run()
    assert [item.figure for item in in_address(at).items] == ["journey"]
    assert at.text_input(key="item_title_0").value == "one"


def test_titles_and_notes_are_kept_in_the_address():
    at = app(report=address_of(FIRST))
    at.text_input(key="report_title").set_value("My report").run()
    at.text_input(key="item_title_0").set_value("Better").run()
    at.text_area(key="item_note_0").set_value("It halves\nevery step.").run()
    kept = in_address(at)
    assert (kept.title, kept.items[0].title, kept.items[0].note) == ("My report", "Better", "It halves\nevery step.")


def test_an_address_that_is_no_report_says_so_and_the_page_works():
    at = app(report="nonsense")
    assert "report" in at.warning[0].value
    assert "empty" in at.info[0].value


def test_an_item_that_cannot_be_measured_leaves_the_others():
    lost = report.Item(figure="journey", settings=lx.Settings(input_kind="csv"))
    at = app(report=address_of(lost, FIRST))
    assert "No table is loaded" in at.warning[0].value
    assert len(at.get("plotly_chart")) == 1
    assert not at.exception


def _large_maps(count):
    view = report.EXHIBITS["bias_map"].view()
    return [
        report.Item(figure="bias_map", settings=lx.Settings(sequence_length=20, hidden_size=4, seed=seed), view=view)
        for seed in range(count)
    ]


def test_more_large_maps_than_are_kept_of_other_pages_are_all_measured_to_the_end(monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 750)  # three pieces each
    maps = _large_maps(5)
    at = app(report=address_of(*maps))
    assert not at.exception
    assert len(at.get("plotly_chart")) == len(maps)
    assert not at.get("progress")


def test_a_map_too_many_for_the_server_is_refused_and_the_others_stay(monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 750)
    monkeypatch.setattr(runner, "LARGEST_PAGE", 2 * 65 * 20)  # biases and steps of two maps
    at = app(report=address_of(*_large_maps(3)))
    assert not at.exception
    assert len(at.get("plotly_chart")) == 2
    assert "Take a map out of the report" in at.warning[0].value
