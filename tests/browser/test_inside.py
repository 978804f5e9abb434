"""Inside the cell in real Chromium: the keyboard walks, play goes on by itself, the cursor follows without a redraw."""

from urllib.parse import parse_qs, urlsplit

VALUE = "[data-quantity=forget]"
CURSORS = """() => [...document.querySelectorAll('.js-plotly-plot')]
    .flatMap(chart => (chart._fullLayout?.shapes ?? []).filter(shape => shape.name === 'cursor'))
    .map(shape => shape.x0)"""


def open_inside(page, settled, url):
    page.goto(url)
    settled(page)
    page.locator(".drawing svg").wait_for()
    page.wait_for_selector(".js-plotly-plot .main-svg")


def query(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def wait_for_query(page, name, value):
    page.wait_for_function(
        "([name, value]) => new URLSearchParams(location.search).get(name) === value", arg=[name, value]
    )


def test_keys_walk_through_stages_and_steps(server, page, settled):
    open_inside(page, settled, f"{server}/inside?step=1")
    page.locator("h1").first.click()
    for stage in ("forget", "candidate", "input", "update", "output"):
        page.keyboard.press("n")
        wait_for_query(page, "stage", stage)
        settled(page)
    page.keyboard.press("l")
    wait_for_query(page, "step", "2")
    settled(page)
    page.keyboard.press("l")
    wait_for_query(page, "step", "3")


def test_a_step_changes_the_numbers_and_moves_the_cursor_without_drawing_the_charts(server, page, settled):
    open_inside(page, settled, f"{server}/inside?step=5&unit=2")
    page.wait_for_function(f"() => ({CURSORS})().join() === '5,5'")
    before = page.locator(VALUE).first.get_attribute("aria-label")
    page.evaluate("() => document.querySelectorAll('.js-plotly-plot').forEach(chart => chart.marked = true)")
    page.locator(".st-key-step_next button >> visible=true").first.click()
    wait_for_query(page, "step", "6")
    page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).getAttribute('aria-label') !== before",
        arg=[VALUE, before],
    )
    page.wait_for_function(f"() => ({CURSORS})().join() === '6,6'")
    settled(page)
    kept = page.evaluate("() => [...document.querySelectorAll('.js-plotly-plot')].map(chart => !!chart.marked)")
    assert kept == [True, True, True]


def test_play_goes_on_by_itself_and_stops(server, page, settled):
    open_inside(page, settled, f"{server}/inside?sequence_length=5&step=1")
    page.locator(".st-key-playing label").first.click()
    wait_for_query(page, "step", "3")
    wait_for_query(page, "step", "5")
    settled(page)
    assert page.locator(".st-key-step_next button >> visible=true").first.is_disabled()


def test_every_quantity_can_be_reached_with_the_keyboard_and_says_what_it_is(server, page, settled):
    open_inside(page, settled, f"{server}/inside?input_kind=text&step=3")
    names = page.locator(".drawing [tabindex]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert any(name.startswith("forget gate f_t = ") for name in names)
    page.locator(VALUE).first.focus()
    assert "forget gate" in page.evaluate("document.activeElement.getAttribute('aria-label')")


def test_a_challenge_is_solved_on_the_page(server, page, settled):
    open_inside(page, settled, f"{server}/inside?challenge=hold")
    page.get_by_text("the cell should hold").wait_for()
    slider = page.locator(".st-key-hand_forget_1 input[type=range]")
    slider.focus()
    page.keyboard.press("End")
    page.get_by_text("Solved.").wait_for()
    assert query(page)["hand"].startswith("1:1,0,1,1;100:0,1,1,0")


def test_a_click_on_the_heat_map_looks_at_that_unit_and_step(server, page, settled):
    page.goto(f"{server}/inside?sequence_length=20&hidden_size=8")
    settled(page)
    page.locator(".st-key-gate_map .js-plotly-plot .main-svg").first.wait_for()
    settled(page)
    where = """([step, unit]) => {
        const chart = document.querySelector('.st-key-gate_map .js-plotly-plot');
        chart.scrollIntoView({ block: 'center' });
        const box = chart.getBoundingClientRect(), { xaxis, yaxis } = chart._fullLayout;
        return [box.x + xaxis._offset + xaxis.l2p(step), box.y + yaxis._offset + yaxis.l2p(unit)];
    }"""
    page.mouse.click(*page.evaluate(where, [12, 5]))
    page.wait_for_function("() => /step=12/.test(location.search) && /unit=5/.test(location.search)")
    settled(page)
    page.locator(".drawing svg").get_by_text("unit 5").first.wait_for()


def test_the_steps_around_are_drawn_without_waiting_for_the_server(server, page, settled):
    cut = []
    page.route_web_socket("**/_stcore/stream", lambda socket: _forward(socket, cut))
    page.goto(f"{server}/inside?step=10&sequence_length=30")
    settled(page)
    drawing = page.locator(".drawing svg").first
    drawing.get_by_text("step 10 of 30").wait_for()
    cut.append(True)
    page.locator(".st-key-step input[type=range]").focus()
    for step in (11, 12, 13):
        page.keyboard.press("ArrowRight")
        drawing.get_by_text(f"step {step} of 30").wait_for()
    page.keyboard.press("ArrowLeft")
    drawing.get_by_text("step 12 of 30").wait_for()


def _forward(socket, cut):
    """Pass messages on both ways, until what the browser sends is cut off."""
    server = socket.connect_to_server()
    socket.on_message(lambda message: None if cut else server.send(message))
    server.on_message(socket.send)
