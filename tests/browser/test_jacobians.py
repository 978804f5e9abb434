"""Vanish or explode in a real browser: a click on the map takes the settings that lie there."""

from __future__ import annotations

POINT = """() => {
    const chart = document.querySelector('.st-key-phase_map .js-plotly-plot');
    const {_fullLayout: layout} = chart, box = chart.getBoundingClientRect();
    return {
        x: box.x + layout.xaxis._offset + layout.xaxis.l2p(2.0),
        y: box.y + layout.yaxis._offset + layout.yaxis.l2p(1.5),
        traces: chart._fullData.filter(trace => trace.name).map(trace => trace.name),
    };
}"""


def test_a_click_on_the_map_takes_its_settings(server, page, settled):
    page.goto(f"{server}/jacobians?topic=edge&sequence_length=30&hidden_size=8")
    settled(page)
    map_ = page.locator(".st-key-phase_map .js-plotly-plot .main-svg").first
    map_.wait_for()
    settled(page)
    page.wait_for_function("() => document.querySelector('.st-key-phase_map .nsewdrag')")
    map_.scroll_into_view_if_needed()
    point = page.evaluate(POINT)
    assert "the edge: exponent 0" in point["traces"]
    page.mouse.move(point["x"], point["y"])
    page.mouse.click(point["x"], point["y"])
    page.wait_for_url("**recurrent_gain=1.5*input_scale=2.0*")
    settled(page)
    assert page.locator(".st-key-recurrent_gain input[type=range]").first.get_attribute("aria-valuetext") == "1.50"
