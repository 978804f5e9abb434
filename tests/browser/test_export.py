"""Taking it home in real Chromium: the right file, in the right language, for the right visitor, or a clear message."""

import base64
import re
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from app_server import serving

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import summarise


def open_download(page, settled, url, figure="journey"):
    page.goto(url)
    settled(page)
    page.wait_for_selector(".js-plotly-plot .main-svg")
    page.locator(f".st-key-{figure}_download button").first.click()
    page.locator(f".st-key-{figure}_format").wait_for()


def choose(page, settled, name, button=None):
    page.get_by_role("radio", name=name, exact=True).click()
    page.get_by_role("button", name=button or f"Download {name}").wait_for()
    settled(page)


def download(page, figure="journey"):
    with page.expect_download(timeout=60_000) as caught:
        page.locator(f".st-key-{figure}_file button").first.click()
    return caught.value


def test_an_image_has_the_page_s_language_and_a_good_name(server, korean_page, settled):
    open_download(korean_page, settled, f"{server}/?sequence_length=50")
    choose(korean_page, settled, "SVG", button="SVG 내려받기")
    file = download(korean_page)
    assert file.suggested_filename == "lstm-explorer-journey-T50-slide.svg"
    assert "RNN과 LSTM에서 기울기가 거슬러 오는 길" in Path(file.path()).read_text(encoding="utf-8")


def test_the_table_is_the_core_s(server, page, settled):
    open_download(page, settled, f"{server}/gradients?networks=gru&sequence_length=40", "gradients")
    choose(page, settled, "CSV")
    table = pd.read_csv(download(page, "gradients").path())
    expected = summarise(lx.seed_flows(lx.Settings(sequence_length=40), architecture="gru")).median
    assert table[table["kind"] == "measured"]["log10_median"].tolist() == expected.tolist()


def test_the_live_page_works_offline_and_asks_for_nothing(server, browser, page, settled, tmp_path):
    open_download(page, settled, f"{server}/?forget_bias=2")
    choose(page, settled, "HTML")
    file = tmp_path / "figure.html"
    download(page).save_as(file)
    context = browser.new_context(offline=True)
    alone, asked = context.new_page(), []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(file.as_uri())
    alone.wait_for_selector(".js-plotly-plot .main-svg")
    alone.evaluate("document.querySelector('.js-plotly-plot').on('plotly_animated', () => window.ended = true)")
    alone.locator(".updatemenu-button").get_by_text("▶ Play").click()
    alone.wait_for_function("() => window.ended")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert alone.locator("[data-title*=Share], [data-title*=loud]").count() == 0
    context.close()


def test_the_link_is_the_address_bar_s_and_is_copied(server, page, settled):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server}/gradients?forget_bias=2.5&networks=lstm")
    settled(page)
    page.locator(".st-key-gradients_link button").first.click()
    page.locator(".st-key-gradients_copy button").first.click()
    page.get_by_text("Copied.").wait_for()
    settled(page)
    page.wait_for_function("async () => (await navigator.clipboard.readText()).length > 0")
    assert unquote(page.evaluate("navigator.clipboard.readText()")) == unquote(page.url)


def test_four_visitors_at_once_each_get_their_own_picture_once(server, browser, settled):
    visitors = {}
    for length in range(20, 24):
        page = browser.new_context(locale="en-US").new_page()
        page.set_default_timeout(120_000)
        open_download(page, settled, f"{server}/gradients?networks=rnn&theory=0&sequence_length={length}", "gradients")
        choose(page, settled, "SVG")
        page.get_by_text("A line with the settings").click()
        settled(page)
        files = []
        page.on("download", lambda file, files=files: files.append(file))
        visitors[length] = page, files
    for page, _files in visitors.values():
        page.locator(".st-key-gradients_file button").first.click(no_wait_after=True)
    for length, (page, files) in visitors.items():
        page.locator(".st-key-gradients_file_save").first.wait_for()
        if not files:  # four pages on two cores: the browser may still be on its way to it
            page.wait_for_event("download")
        settled(page)
        page.wait_for_timeout(100)  # a second download would come at once
        (file,) = files
        drawn = Path(file.path()).read_text(encoding="utf-8")
        assert re.findall(r"T = (\d+) steps", drawn) == [str(length)]
    for page, _files in visitors.values():
        page.context.close()


def test_a_report_survives_a_change_of_page_and_a_reload(server, page, settled, open_page):
    page.goto(f"{server}/?forget_bias=2")
    settled(page)
    page.locator(".st-key-journey_report button").first.click()
    page.get_by_role("button", name="In the report").first.wait_for()
    settled(page)
    open_page("Export", "Report")
    page.locator(".st-key-item_0").wait_for()
    settled(page)
    page.reload()
    page.locator(".st-key-item_0 .js-plotly-plot .main-svg").first.wait_for()
    settled(page)
    with page.expect_download(timeout=60_000) as caught:
        page.locator(".st-key-report_pdf button").first.click()
    assert Path(caught.value.path()).read_bytes().startswith(b"%PDF")


def test_a_server_without_a_browser_says_so_and_exports_the_rest(browser, page, settled):
    with serving(environment={"BROWSER_PATH": "/nowhere/chromium"}) as url:
        open_download(page, settled, url)
        page.get_by_text("This server has no browser to draw with").wait_for()
        assert page.locator(".st-key-journey_file button").first.is_disabled()
        choose(page, settled, "JSON")
        assert Path(download(page).path()).read_bytes().startswith(b"{")
        with page.expect_download() as camera:
            page.locator("[data-title*=ownload]").first.click(force=True)
        assert camera.value.suggested_filename == "lstm-explorer-journey.svg"


def test_a_browser_that_does_not_start_is_one_clear_box(browser, page, settled, tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with serving(environment={"BROWSER_PATH": str(program)}) as url:
        open_download(page, settled, url)
        page.locator(".st-key-journey_file button").first.click()
        page.get_by_text("did not start").wait_for()
        choose(page, settled, "CSV")
        assert b"log10_median" in Path(download(page).path()).read_bytes()


@pytest.mark.parametrize("name", ["PNG", "PDF"])
def test_images_are_what_they_say(server, page, settled, name):
    open_download(page, settled, server)
    choose(page, settled, name)
    start = {"PNG": base64.b64decode("iVBORw0KGgo="), "PDF": b"%PDF"}[name]
    assert Path(download(page).path()).read_bytes().startswith(start)


def test_a_settings_file_comes_back_as_it_was_and_nonsense_changes_nothing(server, page, settled, tmp_path):
    open_download(page, settled, f"{server}/gradients?forget_bias=2.5&networks=gru&scale=linear", "gradients")
    choose(page, settled, "JSON")
    saved = tmp_path / "settings.json"
    download(page, "gradients").save_as(saved)
    page.goto(f"{server}/gradients")
    settled(page)
    page.get_by_text("Open a settings file").click()
    box = page.locator(".st-key-settings_file input[type=file]")
    newer = saved.read_text(encoding="utf-8").replace('"version": 1', '"version": 2')
    box.set_input_files({"name": "newer.json", "mimeType": "application/json", "buffer": newer.encode()})
    page.get_by_text("reads lstm-explorer 1").wait_for()
    assert page.url.endswith("/gradients")
    box.set_input_files(saved)
    page.wait_for_function("() => location.search.includes('forget_bias=2.5')")
    settled(page)
    assert sorted(page.url.partition("?")[2].split("&")) == ["forget_bias=2.5", "networks=gru", "scale=linear"]
    assert page.get_by_text("reads lstm-explorer 1").count() == 0
