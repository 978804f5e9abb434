"""Sweeps in a real browser: a click on a cell shows its runs, and one of them opens on the page Training."""

from __future__ import annotations

POINT = """() => {
    const chart = document.querySelector('.st-key-sweep_map .js-plotly-plot');
    const {_fullLayout: layout} = chart, box = chart.getBoundingClientRect(), lstm = chart._fullData[1];
    return {
        x: box.x + layout.xaxis._offset + layout.xaxis.l2p(lstm.x[0]),
        y: box.y + layout.yaxis._offset + layout.yaxis.l2p(lstm.y[3]),
    };
}"""


def test_a_click_on_a_cell_shows_its_runs_and_one_opens(server, page, settled):
    page.goto(f"{server}/sweeps")
    settled(page)
    page.wait_for_function("() => document.querySelector('.st-key-sweep_map .nsewdrag')")
    page.locator(".st-key-sweep_map .main-svg").first.scroll_into_view_if_needed()
    point = page.evaluate(POINT)
    page.mouse.move(point["x"], point["y"])
    page.mouse.click(point["x"], point["y"])
    page.wait_for_url("**at_up=3*at_across=0*at_beside=1*")
    settled(page)
    page.get_by_text("LSTM, forget bias 3, T = 25 steps").first.wait_for()
    opened = page.get_by_role("link", name="Open this run")
    assert "lx.train(lx.Training(sequence_length=25" in page.locator("code").last.inner_text()
    with page.context.expect_page() as caught:
        opened.click()
    run = caught.value
    settled(run)
    run.wait_for_url("**/training?*forget_bias=3.0*")
    assert "networks=lstm" in run.url
    assert "sequence_length=25" in run.url
    run.get_by_role("button", name="Train").wait_for()
