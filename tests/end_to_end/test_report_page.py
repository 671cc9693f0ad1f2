"""The report in a real browser: it fetches nothing, sorts, filters, unfolds, fits the screen and prints."""

import base64

import pytest

from browser import CHROMIUM, Browser
from noisy_student.report.page import write_report
from noisy_student.report.results import read_results
from synthetic_results import SyntheticRun

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
FIRST_COLUMN = "[...document.querySelectorAll('#case-table tbody tr:not(.detail) th')].map(cell => cell.innerText)"
SCORES = "[...document.querySelectorAll('#case-table tbody tr td:nth-child(3)')].map(cell => Number(cell.innerText))"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    SyntheticRun(pictures=True).write(folder)
    write_report(read_results(folder), folder / "report/report.html")
    return folder / "report/report.html"


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


def choose(browser, name, value):
    browser.ask(f"""(() => {{ const field = document.getElementById('case-controls').elements['{name}'];
        field.value = '{value}'; field.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()""")


def test_nothing_is_fetched_and_nothing_fails(browser, page):
    browser.open(page, 1280)
    asked = [event["params"]["request"]["url"] for event in browser.events
             if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip
    assert {url for url in asked if not url.startswith("data:")} == {page.absolute().as_uri()}
    wrong = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    assert [event for event in browser.events if event.get("method") in wrong] == []
    loaded = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
    assert browser.ask(f"document.images.length > 0 && {loaded}")


def test_table_sorts_by_a_heading_in_both_directions(browser, page):
    browser.open(page, 1280)
    click = "document.querySelectorAll('#case-table thead button')[2].click()"
    browser.ask(click)
    falling = browser.ask(SCORES)
    assert falling == sorted(falling, reverse=True) and len(set(falling)) > 1
    browser.ask(click)
    assert browser.ask(SCORES) == sorted(falling)


def test_table_filters_by_name_and_role(browser, page):
    browser.open(page, 1280)
    choose(browser, "role", "validation")
    visible = "[...document.querySelectorAll('#case-table tbody tr')].filter(row => row.offsetHeight > 0).length"
    assert browser.ask(visible) == 6
    choose(browser, "text", "_0003")
    assert browser.ask(visible) == 1
    assert browser.ask("document.querySelector('#case-controls output').textContent") == "1 of 18 cases"


def test_table_shows_another_organ_and_measure(browser, page):
    browser.open(page, 1280)
    choose(browser, "organ", "4")
    choose(browser, "measure", "NSD")
    table = read_results(page.parents[1]).rounds[0].scores
    pancreas = table[table["label"] == 4].set_index("case")["NSD"]
    for case, value in zip(browser.ask(FIRST_COLUMN), browser.ask(SCORES), strict=True):
        assert value == pytest.approx(pancreas[case], abs=6e-4)


def test_case_unfolds_to_its_organs(browser, page):
    browser.open(page, 1280)
    browser.ask("document.querySelector('#case-table tbody button').click()")
    assert browser.ask("document.querySelectorAll('#case-table .detail tr').length") == 15
    browser.ask("document.querySelector('#case-table tbody button').click()")
    assert browser.ask("document.querySelectorAll('#case-table .detail').length") == 0


@pytest.mark.parametrize("width", [400, 1280])
def test_page_is_never_wider_than_the_screen(browser, page, width):
    browser.open(page, width)
    assert browser.ask("document.documentElement.scrollWidth") <= width


def test_page_prints(browser, page):
    browser.open(page, 1280)
    assert base64.b64decode(browser.call("Page.printToPDF")["data"]).startswith(b"%PDF")
