"""Navigation, language and address, as a reader meets them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

#: How the first page is called in Korean.
KOREAN_TITLE = "RNN은 왜 잊고"
PINS = "pin=name%3Da%26network%3Drnn&pin=name%3Db%26network%3Dlstm"


def query(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def path(page) -> str:
    return urlsplit(page.url).path


def forget_bias(page):
    return page.locator(".st-key-forget_bias input[type=range]")


def wait_for_query(page, name: str, value: str | None) -> None:
    page.wait_for_function("([n, v]) => new URLSearchParams(location.search).get(n) === v", arg=[name, value])


def wait_for_slider(page, text: str) -> None:
    selector = ".st-key-forget_bias input[type=range]"
    page.wait_for_function("([s, v]) => +document.querySelector(s)?.value === +v", arg=[selector, text])


def choose_language(page, name: str) -> None:
    page.locator(".st-key-frame").get_by_text(name).click()


def test_deep_link_on_a_fresh_server_shows_the_framed_page(fresh_server, page, settled):
    page.goto(f"{fresh_server}/gradients?forget_bias=2.5&sequence_length=77&lang=ko")
    settled(page)
    page.locator("[data-testid=stTopNav]").get_by_text("배우기").wait_for()
    wait_for_slider(page, "2.5")
    assert path(page) == "/gradients"
    assert query(page) == {"forget_bias": ["2.5"], "sequence_length": ["77"], "lang": ["ko"]}


def test_repeated_parameters_survive_a_fresh_server(fresh_server, page, settled):
    page.goto(f"{fresh_server}/gradients?{PINS}")
    settled(page)
    assert path(page) == "/gradients"
    assert query(page) == parse_qs(PINS)


def test_the_first_widget_moved_on_a_fresh_server_keeps_its_value(fresh_server, page, settled):
    page.goto(fresh_server)
    settled(page)
    forget_bias(page).press("ArrowRight")
    page.wait_for_function("location.search.includes('forget_bias')")
    value = query(page)["forget_bias"][0]
    settled(page)
    wait_for_slider(page, value)


def test_reload_and_a_copied_address_bring_back_the_settings(server, page, settled):
    page.goto(server)
    settled(page)
    forget_bias(page).press("End")
    wait_for_query(page, "forget_bias", "8.0")
    address = page.url
    page.reload()
    settled(page)
    wait_for_slider(page, "8")
    assert page.url == address


def test_defaults_stay_out_of_the_address(server, page, settled):
    page.goto(f"{server}/?sequence_length=100&seed=0&utm_source=mail")
    settled(page)
    # A bare address opens the contrast: PyTorch's defaults are one setting away from it.
    page.wait_for_function("location.search === '?forget_bias=0.0'")
    page.goto(f"{server}/gradients?sequence_length=100&seed=0&utm_source=mail")
    settled(page)
    page.wait_for_function("location.search === ''")


def test_nonsense_opens_at_the_nearest_legal_setting_and_says_so(server, page, settled):
    page.goto(f"{server}/?sequence_length=99999&forget_bias=abc&dtype=float16&lang=xx")
    settled(page)
    said = page.locator(".st-key-corrections").inner_text()
    assert "sequence_length was 99999: expected 2 to 2000; 2000 is used." in said
    assert "forget_bias was abc: expected -6 to 8; 0 is used." in said
    assert "dtype was float16: expected one of float32, float64; float32 is used." in said
    assert "lang was xx" in said
    wait_for_query(page, "sequence_length", "2000")
    assert list(query(page)) == ["sequence_length"]


def test_repairs_stay_until_dismissed(server, page, settled):
    page.goto(f"{server}/?sequence_length=1")
    settled(page)
    choose_language(page, "한국어")
    page.locator(".st-key-corrections").get_by_text("2 이상 2000 이하").wait_for()
    page.locator(".st-key-dismiss_corrections button").click()
    page.locator(".st-key-corrections").wait_for(state="detached")


def test_repairs_go_when_a_setting_changes(server, page, settled):
    page.goto(f"{server}/?sequence_length=1")
    settled(page)
    forget_bias(page).press("ArrowRight")
    page.locator(".st-key-corrections").wait_for(state="detached")
    assert "forget_bias" in query(page)


def test_back_and_forward_walk_through_the_settings(server, page, settled):
    page.goto(f"{server}/?forget_bias=1.0")
    settled(page)
    forget_bias(page).press("End")
    wait_for_query(page, "forget_bias", "8.0")
    settled(page)
    page.go_back()
    wait_for_slider(page, "1")
    wait_for_query(page, "forget_bias", "1.0")
    page.go_forward()
    wait_for_slider(page, "8")
    wait_for_query(page, "forget_bias", "8.0")


def test_back_to_an_empty_address_brings_back_what_it_opened(server, page, settled):
    page.goto(server)
    settled(page)
    forget_bias(page).press("End")
    wait_for_query(page, "forget_bias", "8.0")
    settled(page)
    page.go_back()
    wait_for_slider(page, "2.5")
    settled(page)
    assert query(page) == {}


def test_settings_follow_to_another_page_and_back(server, page, settled, open_page):
    page.goto(f"{server}/?forget_bias=3.5")
    settled(page)
    open_page("Measure", "Gradient flow")
    page.wait_for_function("location.pathname === '/gradients'")
    wait_for_query(page, "forget_bias", "3.5")
    wait_for_slider(page, "3.5")
    open_page("Learn", "Start here")
    page.wait_for_function("location.pathname === '/'")
    wait_for_query(page, "forget_bias", "3.5")
    wait_for_slider(page, "3.5")


def test_quick_moves_are_never_rolled_back(server, page, settled):
    page.goto(f"{server}/?forget_bias=-6.0")
    settled(page)
    step = float(forget_bias(page).get_attribute("step"))
    for _press in range(20):
        forget_bias(page).press("ArrowRight")
    expected = str(-6.0 + 20 * step)
    wait_for_query(page, "forget_bias", expected)
    settled(page)
    wait_for_slider(page, expected)


def test_switching_language_keeps_settings_and_shows_in_the_address(server, page, settled):
    page.goto(f"{server}/?forget_bias=3.5")
    settled(page)
    choose_language(page, "한국어")
    page.get_by_role("heading", name=KOREAN_TITLE).wait_for()
    assert query(page) == {"lang": ["ko"], "forget_bias": ["3.5"]}
    page.reload()
    settled(page)
    page.get_by_role("heading", name=KOREAN_TITLE).wait_for()
    choose_language(page, "English")
    page.get_by_role("heading", name="Why an RNN forgets").wait_for()
    wait_for_query(page, "lang", None)


def test_a_korean_browser_reads_korean_with_a_clean_address(server, korean_page, settled):
    korean_page.goto(server)
    settled(korean_page)
    korean_page.get_by_role("heading", name=KOREAN_TITLE).wait_for()
    assert query(korean_page) == {}
    choose_language(korean_page, "English")
    wait_for_query(korean_page, "lang", "en")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(server, page, settled, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(server)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".st-key-frame").bounding_box()["x"] >= 0


def test_a_choice_with_translated_options_stays_chosen(server, page, settled):
    page.goto(f"{server}/gradients?scale=linear")
    settled(page)
    chosen = page.locator(".st-key-scale [aria-checked=true], .st-key-scale [aria-pressed=true]")
    assert chosen.inner_text() == "linear"
    choose_language(page, "한국어")
    page.get_by_role("heading", name="기울기 흐름").wait_for()
    settled(page)
    assert chosen.inner_text() == "선형"
    assert query(page) == {"scale": ["linear"], "lang": ["ko"]}


def test_a_fragment_writes_the_address_and_keeps_its_language(server, page, settled):
    page.goto(f"{server}/gradients?lang=ko")
    settled(page)
    page.locator(".st-key-scale").get_by_text("선형").click()
    wait_for_query(page, "scale", "linear")
    settled(page)
    assert page.locator(".st-key-scale label").first.inner_text() == "세로축 눈금"


def test_repairs_go_when_a_fragment_changes_a_setting(server, page, settled):
    page.goto(f"{server}/gradients?sequence_length=1")
    settled(page)
    page.locator(".st-key-scale").get_by_text("linear").click()
    page.locator(".st-key-corrections").wait_for(state="detached")
    wait_for_query(page, "scale", "linear")


def test_a_class_that_opens_one_link_on_a_server_that_just_woke_sees_it(fresh_server, browser, settled):
    context = browser.new_context(locale="en-US")
    pages = {length: context.new_page() for length in (20, 30, 40)}
    for length, page in pages.items():
        page.goto(f"{fresh_server}/gradients?sequence_length={length}", wait_until="commit")
    for length, page in pages.items():
        page.bring_to_front()
        settled(page)
        page.locator(".st-key-sequence_length input[type=text]").wait_for()
        settled(page)
        assert page.url.endswith(f"/gradients?sequence_length={length}")
        assert page.locator(".st-key-sequence_length input[type=text]").input_value() == str(length)
    context.close()
