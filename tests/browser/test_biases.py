"""Gate biases in a real browser: the row moves inside the figure, without a rerun and in an exported page too."""

from __future__ import annotations

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

import lstm_explorer as lx
from lstm_explorer.exhibits.biases import lag_map
from lstm_explorer.exhibits.biases_view import BiasesView
from lstm_explorer.export.interactive import to_html
from lstm_explorer.runs.direct import DirectRunner

ROW = """() => {
    const chart = document.querySelector('.js-plotly-plot');
    const one = name => chart._fullData.find(trace => trace.name === name);
    return {
        bias: Number(document.querySelector('.slider-label').textContent.match(/-?[0-9.]+$/)[0]),
        cursor: one('the row beneath').y[0],
        last: Array.from(one('LSTM, total').y).at(-1),
        image: document.querySelectorAll('.js-plotly-plot image').length,
        contour: one('1/e').x.length,
    };
}"""


def move_row(page, share):
    """Press on the slider inside the figure, so far along it."""
    page.wait_for_function("() => document.querySelector('.slider-rail-touch-rect')")
    page.locator(".slider-rail-touch-rect").scroll_into_view_if_needed()
    box = page.locator(".slider-rail-touch-rect").bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def assert_row_moves(page, settings):
    before = page.evaluate(ROW)
    move_row(page, 0.75)
    page.wait_for_function(f"before => ({ROW})().cursor !== before", arg=before["cursor"])
    after = page.evaluate(ROW)
    assert after["bias"] == after["cursor"]
    assert after["bias"] != before["bias"]
    flow = lx.gradient_flow(
        lx.build_network("lstm", settings.replace(forget_bias=after["bias"])), lx.make_inputs(settings)
    )
    assert abs(after["last"] - float(flow.log10_cell[0, 0, 0] - flow.log10_cell[0, -1, 0])) < 1e-3
    assert (after["image"], after["contour"]) == (1, before["contour"])  # the map itself stays


def test_the_row_is_moved_in_the_browser_without_a_rerun(server, page, settled):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{server}/biases?sequence_length=40&forget_bias=1")
    settled(page)
    page.locator(".st-key-bias_map .js-plotly-plot .main-svg").first.wait_for()
    settled(page)
    quiet = len(sent)
    assert_row_moves(page, lx.Settings(sequence_length=40))
    assert len(sent) == quiet


def test_the_row_is_moved_in_an_exported_page_too(page, tmp_path):
    settings = lx.Settings(sequence_length=25, forget_bias=0.0)
    file = tmp_path / "map.html"
    file.write_bytes(to_html(lag_map(DirectRunner(), settings, BiasesView())))
    page.goto(file.as_uri())
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert_row_moves(page, settings)


def test_a_large_map_is_drawn_as_it_comes_and_can_be_stopped(server, page, settled):
    page.goto(f"{server}/biases?sequence_length=1500&hidden_size=64&across=gate&memory=300")
    stop = page.get_by_role("button", name="Stop here")
    stop.first.wait_for()
    stop.first.click()
    page.get_by_text("Stopped: the picture shows").first.wait_for()
    settled(page)
    page.locator(".st-key-two_gates .js-plotly-plot .main-svg").first.wait_for()
    page.get_by_role("button", name="Go on").first.click()
    stop.first.wait_for()


def test_several_figures_of_one_large_map_show_its_progress_once(server, page, settled):
    page.goto(f"{server}/biases?sequence_length=2000&hidden_size=32&num_seeds=8&forget_bias=-7")
    stop = page.get_by_role("button", name="Stop here")
    stop.first.wait_for()
    assert stop.count() == 1
    assert page.locator("[data-testid=stAlert]").count() == 0
    stop.click()
    page.get_by_text("Stopped: the picture shows").wait_for()
    settled(page)
    page.locator(".st-key-required_bias .js-plotly-plot .main-svg").first.wait_for()


def test_a_second_choice_while_the_first_is_drawn_leaves_the_page_standing(server, page, settled):
    received = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    page.goto(f"{server}/biases?sequence_length=50&hidden_size=8")
    settled(page)
    choose = """([key, name]) => [...document.querySelectorAll(`.st-key-${key} button`)]
        .find(button => button.innerText.trim() === name).click()"""
    broken = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    for across in ("length", "steps back") * 4:  # what the second run overtakes is a matter of milliseconds
        page.evaluate(choose, ["topic", "Why do weight gradients look fine?"])
        page.wait_for_timeout(20)
        page.evaluate(choose, ["across", across])
        page.locator(".st-key-contributions .js-plotly-plot .main-svg").first.wait_for()
        settled(page)
        page.evaluate(choose, ["topic", "Which bias do I need?"])
        page.locator(".st-key-required_bias .js-plotly-plot .main-svg").first.wait_for()
        settled(page)
        assert not broken
    # A figure that is only named may be gone from the browser by then: .streamlit/config.toml
    assert {ForwardMsg.FromString(frame).WhichOneof("type") for frame in received} & {"delta", "ref_hash"} == {"delta"}


def test_the_keyboard_moves_a_bias_and_the_address_follows(server, page, settled):
    page.goto(f"{server}/biases?sequence_length=20&hidden_size=4")
    settled(page)
    page.locator(".st-key-forget_bias input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**forget_bias=0.25**")
    settled(page)
    page.get_by_text("At your bias of 0.25").wait_for()
    page.reload()
    page.get_by_text("At your bias of 0.25").wait_for()


def test_a_click_on_the_map_takes_its_bias(server, page, settled):
    page.goto(f"{server}/biases?sequence_length=20&hidden_size=4")
    settled(page)
    page.locator(".st-key-bias_map .js-plotly-plot .main-svg").first.wait_for()
    settled(page)
    where = """bias => {
        const chart = document.querySelector('.st-key-bias_map .js-plotly-plot');
        chart.scrollIntoView({ block: 'center' });
        const box = chart.getBoundingClientRect(), { xaxis, yaxis } = chart._fullLayout;
        return [box.x + xaxis._offset + xaxis.l2p(10), box.y + yaxis._offset + yaxis.l2p(bias)];
    }"""
    page.mouse.click(*page.evaluate(where, 3))
    page.wait_for_url("**forget_bias=3.0**")
    page.get_by_text("At your bias of 3", exact=True).wait_for()
