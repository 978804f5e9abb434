"""Training in a real browser: a real process trains, the curves grow, a reload and a second tab show the same run."""

from __future__ import annotations

import lstm_explorer as lx

QUERY = "sequence_length=6&hidden_size=8&batch_size=8&steps=150&measurements=10&networks=gru"
TRAINING = lx.Training(architecture="gru", sequence_length=6, hidden_size=8, batch_size=8, steps=150, measurements=10)
DRAWN = """() => {
    const chart = document.querySelector('.st-key-training .js-plotly-plot');
    if (!chart || !chart._fullData) return null;
    const map = chart._fullData.find(trace => trace.type === 'heatmap');
    const cursor = chart._fullData.find(trace => trace.name === 'cursor');
    const loss = chart._fullData.filter(trace => trace.name === 'GRU')[1];
    return {
        map: Array.from(map.x), cursor: cursor.x[0], loss: Array.from(loss.y), words: chart._fullData.find(
            trace => trace.name === 'arrives').text[0],
    };
}"""


def move_cursor(page, share):
    """Press on the slider inside the figure, so far along it."""
    rail = page.locator(".st-key-training .slider-rail-touch-rect")
    rail.scroll_into_view_if_needed()
    box = rail.bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def test_a_network_is_trained_watched_and_found_again(server, page, settled):
    page.goto(f"{server}/training?{QUERY}")
    settled(page)
    page.locator(".st-key-train button").click()
    page.get_by_text("Trained here").wait_for(timeout=90_000)  # a process starts first
    page.wait_for_function(f"() => ({DRAWN})()?.map.length === 11")
    expected = lx.train(TRAINING)
    drawn = page.evaluate(DRAWN)
    assert drawn["loss"] == expected.smooth_loss.tolist()
    assert "run=" in page.url
    second = page.context.new_page()
    second.goto(page.url)
    second.wait_for_function(f"() => ({DRAWN})()?.map.length === 11")
    assert second.evaluate(DRAWN) == drawn
    sent = []
    second.close()
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    settled(page)
    page.wait_for_function(f"() => ({DRAWN})()?.map.length === 11")
    quiet = len(sent)
    move_cursor(page, 0.5)
    page.wait_for_function(f"before => ({DRAWN})().cursor < before", arg=drawn["cursor"])
    moved = page.evaluate(DRAWN)
    assert moved["cursor"] in drawn["map"]
    assert moved["words"] != drawn["words"]
    assert len(sent) == quiet  # without a rerun
