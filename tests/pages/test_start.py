"""The first page under AppTest: a widget moved and a value read, against the core."""

import base64
from pathlib import Path

import numpy as np
import plotly.io
import pytest
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.core.gradients.seeds import seed_flows
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.figures.formatting import percent
from lstm_explorer.runs import measurements
from lstm_explorer.ui.presets import preset_options

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def app(**query):
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.query_params.update(query)
    return at.run()


def html(at):
    return " ".join(str(element.proto.body) for element in at.get("html"))


def says(at):
    return " ".join(element.value for element in at.markdown)


def test_cards_show_the_numbers_of_the_core():
    at = app()
    at.slider(key="forget_bias").set_value(3.0).run()
    settings = lx.Settings(forget_bias=3.0)
    rnn = summarise(lx.seed_flows(settings, architecture="rnn"))
    lstm = summarise(lx.seed_flows(settings, architecture="lstm"), "cell")
    assert f"<dd>{percent(rnn.log10_ratio)}</dd>" in html(at)
    assert f"<dd>{percent(lstm.log10_ratio)}</dd>" in html(at)
    assert "**RNN, gradient of h: vanishes.**" in says(at)
    assert "**LSTM, gradient of c: survives.**" in says(at)


def test_recurrent_gain_is_the_rnn_s_alone():
    at = app(forget_bias="0")
    before = html(at)
    at.slider(key="recurrent_gain").set_value(3.0).run()
    settings = lx.Settings(recurrent_gain=3.0)
    assert percent(summarise(lx.seed_flows(settings, architecture="rnn")).log10_ratio) in html(at)
    unchanged = percent(summarise(lx.seed_flows(lx.Settings(), architecture="lstm"), "cell").log10_ratio)
    assert unchanged in before
    assert unchanged in html(at)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("keeps", "**LSTM, gradient of c: survives.**"),
        ("pytorch", "**LSTM, gradient of c: vanishes.**"),
        ("forget5", "**LSTM, gradient of c: explodes.**"),
        ("chrono", "**LSTM, gradient of c: survives.**"),
        ("exploding", "**RNN, gradient of h: explodes.**"),
        ("closed", "**LSTM, gradient of c: vanishes.**"),
    ],
)
def test_presets_tell_the_story(code, verdict):
    at = app(sequence_length="100")
    press(at, code)
    assert verdict in says(at)
    wanted = lx.Settings().replace(**preset_options(lx.Settings())[code][1])
    sent = {name: texts[-1] if isinstance(texts, list) else texts for name, texts in at.query_params.items()}
    assert lx.Settings.from_query(sent) == wanted or (code, sent) == ("keeps", {})


def test_a_bare_address_opens_on_the_contrast_and_the_default_has_an_address():
    at = app()
    assert at.slider(key="forget_bias").value == 2.5
    assert at.pills(key="preset").value == "keeps"
    assert "**RNN, gradient of h: vanishes.**" in says(at)
    assert "**LSTM, gradient of c: survives.** 41% of" in says(at)
    assert dict(at.query_params) == {}
    press(at, "pytorch")
    assert at.query_params["forget_bias"] == "0.0"
    assert app(forget_bias="0.0").slider(key="forget_bias").value == 0.0


def press(at, code):
    at.pills(key="preset").set_value(code).run()


def test_both_vectors_filled_is_the_same_picture_as_a_bias_of_two():
    at = app()
    press(at, "both")
    both = html(at)
    assert "effective forget bias is **2**" in " ".join(box.value for box in at.info)
    press(at, "pytorch")
    at.slider(key="forget_bias").set_value(2.0).run()
    assert html(at) == both


def test_korean_speaks_korean_all_over():
    at = app(lang="ko")
    assert "소실" in html(at)
    assert "읽는 법" in " ".join(caption.value for caption in at.caption)


def test_the_picture_sent_is_a_figure_that_plotly_accepts():
    sent = app(forget_bias="0").get("plotly_chart")[0].proto
    figure = plotly.io.from_json(sent.spec)  # checks every name and value; what we send was not checked before
    (drawn,) = (trace.y for trace in figure.data if trace.name == "RNN")
    heights = np.frombuffer(base64.b64decode(drawn["bdata"]), drawn["dtype"])
    rnn = summarise(lx.seed_flows(lx.Settings(), architecture="rnn"))
    np.testing.assert_allclose(heights, rnn.median - rnn.median[-1])
    assert len(figure.frames) > 20


def test_what_is_shown_is_measured_once_and_nothing_else(monkeypatch):
    measured = []

    def spying(settings, **options):
        measured.append((options["architecture"], settings.forget_bias, settings.recurrent_gain))
        return seed_flows(settings, **options)

    monkeypatch.setattr(measurements, "seed_flows", spying)
    at = app(sequence_length="37")
    assert sorted(measured) == [("lstm", 0.0, 1.0), ("rnn", 0.0, 1.0)]
    measured.clear()
    at.slider(key="forget_bias").set_value(0.25).run()
    assert measured == [("lstm", 0.25, 1.0)]


def test_a_copied_link_opens_in_the_language_in_which_it_was_copied():
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.context = {"locale": "ko-KR"}  # found by the browser's language: the address bar need not say it, a copy must
    at.run()
    assert "lang" not in at.query_params
    at.session_state["journey_link"] = True
    at.run()
    assert any("lang=ko" in block.value for block in at.code)
