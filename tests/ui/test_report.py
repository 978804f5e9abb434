"""A report in an address: what comes back, and what is refused."""

import base64
import json
import zlib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.exhibits.gradients import GradientsView
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.ui import report
from lstm_explorer.ui.pins import MOST_PINS, Pin

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"

PIN = Pin(name="four & 넷", architecture="lstm", settings=lx.Settings(forget_bias=4)).to_text()
REPORT = report.Report(
    title="Vanishing & 소실",
    items=(
        report.Item(figure="journey", settings=lx.Settings(forget_bias=2.5), title="한 그림", note="line\nline"),
        report.Item(figure="gradients", settings=lx.Settings(), view=GradientsView(scale="linear"), pins=(PIN,)),
        report.Item(figure="units_gru", settings=lx.Settings(text="<b>", input_kind="text"), view=GradientsView()),
    ),
)


def packed(document):
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(document).encode())).decode().rstrip("=")


def test_round_trip_through_an_address():
    text = report.to_text(REPORT)
    assert report.from_text(text) == REPORT
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_full_report_fits_an_address():
    item = report.Item(
        figure="gradients", settings=lx.Settings(), view=GradientsView(), note="Some words of note. " * 20
    )
    items = tuple(
        report.Item(**{**vars(item), "settings": lx.Settings(forget_bias=n / 4)}) for n in range(report.MOST_ITEMS)
    )
    assert len(report.to_text(report.Report(items=items))) < 4000


ITEM = {"figure": "gradients", "settings": {}, "view": {}, "pins": [], "title": "", "note": ""}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zzz",
        "한글",
        report.to_text(REPORT)[:-20],
        packed([]),
        packed({"items": 3, "title": ""}),
        packed({"items": [{}], "title": ""}),
        packed({"items": [{**ITEM, "figure": "nothing"}], "title": ""}),
        packed({"items": [{**ITEM, "pins": 3}], "title": ""}),
        base64.urlsafe_b64encode(zlib.compress(b"[" * 100_000)).decode(),
        packed({"items": [{**ITEM, "settings": 3}], "title": ""}),
    ],
)
def test_nonsense_is_refused(text):
    with pytest.raises(ValueError, match="expected one that this app wrote"):
        report.from_text(text)


def test_a_bomb_is_not_unpacked():
    bomb = base64.urlsafe_b64encode(zlib.compress(b'{"title":"' + b"a" * 50_000_000 + b'","items":[]}')).decode()
    with pytest.raises(ValueError, match="expected one that this app wrote"):
        report.from_text(bomb)


def test_settings_beyond_the_page_s_limits_come_back_inside():
    document = {"figure": "journey", "settings": {"sequence_length": "99999"}, "view": {}, "pins": []}
    text = packed({"title": "", "items": [{**document, "title": "t" * 999, "note": "n" * 9999}]})
    item = report.from_text(text).items[0]
    assert item.settings.sequence_length == 2000
    assert (len(item.title), len(item.note)) == (report.LONGEST_TITLE, report.LONGEST_NOTE)


def test_what_a_report_cannot_show_is_said_and_no_curve_is_another():
    remarks = []
    settings = {"forget_bias": "abc", "sequence_length": "99999", "forget_bia": "5"}
    pins = ["no pin", "name=a&network=lstm&forget_bias=abc", "name=b&network=lstm"]
    text = packed({"title": "", "items": [{**ITEM, "settings": settings, "pins": pins}]})
    (item,) = report.from_text(text, remarks).items
    assert [Pin.from_text(pin).name for pin in item.pins] == ["b"]
    assert [remark.given for remark in remarks] == ["abc", "99999", "5", *pins[:2]]
    assert any("forget_bias of figure 1 cannot be that, and is 0.0" in remark.why for remark in remarks)


def test_half_a_character_and_controls_are_cleaned_before_they_are_kept():
    text = packed({"title": "a\ud800", "items": [{**ITEM, "title": "b\x00", "note": "c\ud800\nd\x1b"}]})
    read = report.from_text(text)
    assert (read.title, read.items[0].title, read.items[0].note) == ("a\ufffd", "b\ufffd", "c\ufffd\nd\ufffd")
    assert report.from_text(report.to_text(read)) == read


def test_every_exhibit_has_a_page_and_a_view_without_arguments():
    for plan in EXHIBITS.values():
        assert plan.view() == plan.view()


def test_more_pins_and_figures_than_the_buttons_allow_are_left_out_and_said():
    pins = [f"name=pin {n}&network=rnn" for n in range(3000)]
    text = packed({"title": "", "items": [{**ITEM, "pins": pins}, *[ITEM] * 30]})
    read = report.from_text(text)
    assert len(read.items) == report.MOST_ITEMS
    assert len(read.items[0].pins) == MOST_PINS
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.query_params["report"] = text
    said = " ".join(warning.value for warning in at.run().warning)
    assert "more than 24 figures" in said
    assert "more than 8 pins under one figure" in said


def test_a_training_beyond_the_page_s_limits_comes_back_inside():
    view = {"num_seeds": "1024", "sequence_length": "90000", "steps": "9999999"}
    items = [{"figure": "training", "settings": {}, "view": view, "pins": [], "title": "", "note": ""}]
    remarks = []
    (item,) = report.from_text(packed({"title": "", "items": items}), remarks).items
    assert (item.view.num_seeds, item.view.sequence_length, item.view.steps) == (5, 500, 10_000)
    assert len(remarks) == 3
