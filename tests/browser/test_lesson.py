"""The lesson in a real browser: on a phone what is said of an answer is on screen; arrow keys turn a presentation."""

from __future__ import annotations

SAID = ".st-key-lesson_question [data-testid=stAlert]"


def test_on_a_phone_the_feedback_stands_where_the_answer_was_given_and_stays(server, korean_page, settled):
    page = korean_page
    page.goto(f"{server}/lesson?chapter=turn")
    settled(page)
    page.locator(".st-key-answer_turn_ko label").nth(1).click()
    check = page.locator(".st-key-check button:enabled")
    check.click()
    page.locator(SAID).get_by_text("19배").wait_for()
    settled(page)
    box = page.locator(SAID).bounding_box()
    assert 0 <= box["y"] <= 844 - box["height"]
    order = [page.locator(f".st-key-lesson_{part}").bounding_box()["y"] for part in ("text", "figure", "question")]
    assert order == sorted(order)
    term = page.locator(".st-key-lesson_text a").first
    assert term.get_attribute("title").startswith("편향(bias).")
    term.click()
    page.wait_for_function("() => document.querySelector('#words').getBoundingClientRect().y < innerHeight")
    page.reload()
    page.locator(SAID).get_by_text("19배").wait_for()


def test_arrow_keys_turn_the_chapters_of_a_presentation_and_nothing_else_is_on_screen(server, page, settled):
    page.goto(f"{server}/lesson?chapter=road&presenter=1")
    settled(page)
    assert not page.locator(".stAppHeader").is_visible()
    page.locator(".st-key-lesson_text h2").get_by_text("A road of its own").wait_for()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search === '?chapter=gate&presenter=1'")
    page.locator(".st-key-lesson_text h2").get_by_text("One gate, a hundred times").wait_for()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => location.search === '?chapter=road&presenter=1'")
