"""The two pages in real Chromium: the journey plays, pins survive, files are read, a phone is enough."""

import pytest

CHART = ".js-plotly-plot"
#: Empty while Streamlit mounts the chart anew.
TRACES = f"(document.querySelector('{CHART}')?._fullData ?? [])"
NAMES = f"() => {TRACES}.map(trace => trace.name)"


def open_page(page, settled, url):
    page.goto(url)
    settled(page)
    page.wait_for_selector(f"{CHART} .main-svg")


def wait_for_curve(page, name, present=True):
    page.wait_for_function(f"([name, present]) => ({NAMES})().includes(name) === present", arg=[name, present])


def test_play_lets_the_front_run_to_step_zero_without_a_rerun(server, page, settled):
    open_page(page, settled, f"{server}/?forget_bias=2")
    page.evaluate(
        f"""() => {{ const chart = document.querySelector('{CHART}'); window.fronts = [];
        chart.on('plotly_animatingframe', frame => window.fronts.push(+frame.name));
        chart.on('plotly_animated', () => window.ended = true); }}"""
    )
    page.locator(".updatemenu-button").get_by_text("▶ Play").click()
    page.wait_for_function("() => window.ended")
    fronts = page.evaluate("window.fronts")
    assert fronts[0] == 100
    assert fronts[-1] == 0
    assert fronts == sorted(fronts, reverse=True)
    assert page.locator("[data-testid=stApp]").get_attribute("data-test-script-state") == "notRunning"


def test_the_picture_follows_the_slider_while_it_is_dragged_and_the_settings_when_it_is_let_go(server, page, settled):
    open_page(page, settled, server)
    said = f"() => {TRACES}.filter(trace => trace.name === 'strip name').map(trace => trace.text[0])[1]"
    before = page.evaluate(said)
    assert "41%" in before
    grip, rail = (page.locator(f".slider-{part}-rect").first.bounding_box() for part in ("grip", "rail"))
    middle = grip["y"] + grip["height"] / 2
    page.mouse.move(grip["x"] + grip["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(rail["x"] + 0.15 * rail["width"], middle, steps=4)
    page.wait_for_function(f"before => ({said})() !== before", arg=before)
    assert "forget_bias" not in page.url  # the mouse is still down
    page.mouse.up()
    page.wait_for_function("() => location.search === '?forget_bias=0.0'")
    page.locator(".verdicts").get_by_text("vanishes").first.wait_for()
    settled(page)
    assert page.locator(".st-key-forget_bias input[type=range]").input_value() == "0"


def test_play_and_the_slider_in_the_picture_are_reached_by_tab(server, page, settled):
    open_page(page, settled, server)
    page.evaluate(f"() => document.querySelector('{CHART}').on('plotly_animated', () => window.ended = true)")
    page.locator(".st-key-recurrent_gain input[type=range]").focus()
    name = "document.activeElement.getAttribute('aria-label') ?? ''"
    for _press in range(4):
        page.keyboard.press("Tab")
        if page.evaluate(name).startswith("Forget-gate bias"):
            break
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search === '?forget_bias=2.75'")
    settled(page)
    page.wait_for_function(f"() => ({name}).startsWith('Forget-gate bias')")  # the new chart's slider has the focus
    page.evaluate(f"() => document.querySelector('{CHART}').on('plotly_animated', () => window.ended = true)")
    page.keyboard.press("Tab")
    assert page.evaluate(name) == "▶ Play"
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.ended")


def test_on_a_phone_the_menu_closes_after_a_choice_and_the_picture_comes_before_the_controls(server, browser, settled):
    page = browser.new_context(locale="en-US", viewport={"width": 390, "height": 844}).new_page()
    open_page(page, settled, server)
    page.locator("[data-testid=stExpandSidebarButton]").click()
    page.locator("[data-testid=stSidebarNavLink]").get_by_text("Gradient flow").click()
    page.wait_for_function("() => location.pathname === '/gradients'")
    settled(page)
    page.wait_for_selector(f"{CHART} .main-svg")
    page.wait_for_function("() => document.querySelector('[data-testid=stSidebar]').getBoundingClientRect().right <= 0")
    picture = page.locator(CHART).first.bounding_box()["y"]
    assert picture < page.locator(".st-key-networks").bounding_box()["y"]
    page.context.close()


def test_preset_moves_the_slider_and_the_picture(server, page, settled):
    open_page(page, settled, server)
    page.locator(".st-key-preset").get_by_text("Forget bias 5").click()
    page.wait_for_function("() => location.search === '?forget_bias=5.0'")
    page.locator(".verdicts").get_by_text("explodes").wait_for()
    assert page.locator(".st-key-forget_bias input[type=range]").input_value() == "5"


def test_a_copied_address_opens_the_same_picture_pins_included(server, browser, page, settled):
    open_page(page, settled, f"{server}/gradients?forget_bias=4")
    page.locator(".st-key-pin_name input").fill("four")
    page.get_by_role("button", name="Pin LSTM").click()
    wait_for_curve(page, "four")
    page.locator(".st-key-preset").get_by_text("PyTorch default").click()
    page.wait_for_function("() => !new URLSearchParams(location.search).has('forget_bias')")
    settled(page)
    drawn = f"() => {TRACES}.map(t => [t.name, Array.from(t.y).slice(0, 5)])"
    page.wait_for_function(f"() => {TRACES}.length > 0")
    context = browser.new_context(locale="en-US")
    other = context.new_page()
    open_page(other, settled, page.url)
    wait_for_curve(other, "four")
    expected = page.evaluate(f"() => JSON.stringify(({drawn})())")
    other.wait_for_function(f"expected => JSON.stringify(({drawn})()) === expected", arg=expected)
    context.close()


def upload(page, name, text):
    page.locator(".st-key-table_file input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    )


def test_a_table_is_read_its_gaps_are_said_and_a_bad_one_changes_nothing(server, page, settled):
    page.goto(f"{server}/gradients?input_kind=csv&networks=rnn")
    settled(page)
    page.get_by_text("Input", exact=True).click()
    rows = "\n".join(f"{i},{i * i % 7},word" for i in range(40)).replace("5,4,word", ",4,word")
    upload(page, "good.csv", f"a,b,c\n{rows}\n")
    wait_for_steps(page, 41)
    page.get_by_text("Gaps filled").wait_for()
    page.get_by_text("Columns that are not numbers were left out").wait_for()
    upload(page, "bad.csv", "only,words\nx,y\nz,w\n")
    page.get_by_text("None of the columns holds numbers").wait_for()
    wait_for_steps(page, 41)


def wait_for_steps(page, count):
    page.wait_for_function(
        f"n => {TRACES}.find(trace => trace.name === 'RNN')?.x.length === n",
        arg=count,
    )


def test_the_numbers_and_the_units_are_drawn_when_opened(server, page, settled):
    open_page(page, settled, f"{server}/gradients?networks=lstm")
    assert page.locator(CHART).count() == 1
    page.get_by_text("Unit by unit").click()
    page.wait_for_function(f"() => document.querySelectorAll('{CHART}').length === 2")
    page.get_by_text("The numbers").click()
    page.locator("[data-testid=stDataFrame]").wait_for()


@pytest.mark.parametrize("path", ["/", "/gradients"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_is_enough_in_both_themes(server, browser, settled, path, scheme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, locale="ko-KR")
    page = context.new_page()
    open_page(page, settled, f"{server}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    paper = page.evaluate(f"() => document.querySelector('{CHART}')._fullLayout.paper_bgcolor")
    assert paper == {"light": "#FCFCFB", "dark": "#12161A"}[scheme]
    context.close()


def test_nothing_is_fetched_from_elsewhere(server, page, settled):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, settled, server)
    open_page(page, settled, f"{server}/gradients")
    assert asked
    assert [url for url in asked if not url.startswith((server, server.replace("http", "ws"), "data:", "blob:"))] == []


def test_long_work_is_drawn_as_it_comes_and_can_be_stopped(server, page, settled):
    page.goto(f"{server}/gradients?networks=lstm&sequence_length=2000&hidden_size=256&num_seeds=64")
    stop = page.get_by_role("button", name="Stop here")
    stop.wait_for()
    stop.click()
    said = page.get_by_text("Stopped: the picture shows")
    said.wait_for()
    settled(page)
    assert int(said.inner_text().split()[4]) < 64
    page.locator(f"{CHART} .main-svg").first.wait_for()
    page.get_by_role("button", name="Go on").click()
    stop.wait_for()


def test_an_opened_group_of_controls_stays_open_while_settings_move(server, page, settled):
    open_page(page, settled, f"{server}/gradients")
    page.locator("[data-testid=stExpander] summary").get_by_text("Weights", exact=True).click()
    page.locator(".st-key-forget_bias input[type=range]").press("ArrowRight")  # no preset is lit any more
    page.wait_for_function("() => location.search === '?forget_bias=0.25'")
    settled(page)
    gain = page.locator(".st-key-recurrent_gain input[type=range]")
    assert gain.is_visible()
    gain.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('recurrent_gain=1.05')")


def test_what_is_pointed_at_can_be_read(server, page, settled):
    open_page(page, settled, server)
    page.locator(f"{CHART} .nsewdrag").first.hover()
    label = page.locator(f"{CHART} .hoverlayer .hovertext text.nums").first
    label.wait_for()
    assert label.evaluate("text => getComputedStyle(text).fill") == "rgb(28, 35, 41)"  # the theme's text, #1C2329
