"""The report in a real browser: it fetches nothing, sorts, filters, unfolds, fits the screen and prints.

The comparison of ten experiments, which has the same frame, meets the same tests as far as it has the same parts.
"""

import base64
import time
from dataclasses import replace

import numpy as np
import pytest

from browser import CHROMIUM, Browser
from noisy_student.report.drawn_volumes import draw, volumes_of
from noisy_student.report.example import read_examples, write_examples
from noisy_student.report.experiments.comparison import compare
from noisy_student.report.experiments.experiment import read_experiments
from noisy_student.report.experiments.page import write_comparison
from noisy_student.report.page import write_report
from noisy_student.report.results import read_results
from noisy_student.report.volumes import Volumes, limit_for
from synthetic_results import SyntheticRun, make_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
WRONG = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
FIRST_COLUMN = "[...document.querySelectorAll('#case-table tbody tr:not(.detail) th')].map(cell => cell.innerText)"
SCORES = "[...document.querySelectorAll('#case-table tbody tr td:nth-child(3)')].map(cell => Number(cell.innerText))"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return make_page(SyntheticRun(pictures=True), folder, named=["Unlabelled_0007"])


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """Ten experiments, one of them with a long name, in which no text can break."""
    folder = tmp_path_factory.mktemp("runs")
    names = [*(f"experiment_{number}" for number in range(9)), "an_experiment_" * 5]
    for number, name in enumerate(names):
        run = SyntheticRun((0.01 * number,), training=number, epochs=40 + number, validation=6, test=8, unlabelled=4)
        run.write(folder / name / "results")
    experiments = read_experiments([folder / name for name in names])
    return write_comparison(compare(experiments), folder / "comparison", "the command")


@pytest.fixture(params=["page", "comparison"])
def any_page(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


def choose(browser, name, value):
    browser.ask(f"""(() => {{ const field = document.getElementById('case-controls').elements['{name}'];
        field.value = '{value}'; field.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()""")


def test_nothing_is_fetched_and_nothing_fails(browser, any_page):
    browser.open(any_page, 1280)
    asked = [event["params"]["request"]["url"] for event in browser.events
             if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip
    assert {url for url in asked if not url.startswith("data:")} == {any_page.absolute().as_uri()}
    assert [event for event in browser.events if event.get("method") in WRONG] == []
    assert browser.ask("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


def test_the_report_has_pictures_and_the_comparison_has_none(browser, page, comparison):
    for path, has_pictures in ((page, True), (comparison, False)):
        browser.open(path, 1280)
        assert browser.ask("document.images.length > 0") == has_pictures
    assert comparison.stat().st_size < 5_000_000


def test_table_sorts_by_a_heading_in_both_directions(browser, page):
    browser.open(page, 1280)
    choose(browser, "role", "test")
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
    assert browser.ask("document.querySelector('#case-controls output').textContent") == "1 of 56 cases"
    choose(browser, "role", "")
    assert browser.ask(visible) == 4
    choose(browser, "text", "mean max probability below 0.8")
    assert 0 < browser.ask(visible) < 30
    choose(browser, "decision", "kept in round 1")
    assert 0 <= browser.ask(visible) < 30


def test_several_sets_have_a_column_and_a_filter_and_fit_the_screen(browser, tmp_path):
    page = make_page(SyntheticRun(gains=(0.02,), test_sets=("internal", "other clinic"), pool_sets=True), tmp_path)
    browser.open(page, 390)
    assert browser.ask("document.documentElement.scrollWidth") <= 390
    browser.open(page, 1280)
    choose(browser, "set", "other clinic")
    assert browser.ask("document.querySelector('#case-controls output').textContent") == "6 of 56 cases"
    choose(browser, "set", "")
    choose(browser, "text", "test_")
    browser.ask("document.querySelectorAll('#case-table thead button')[2].click()")
    sets = "[...document.querySelectorAll('#case-table tbody td:nth-child(3)')].map(cell => cell.innerText)"
    assert browser.ask(sets) == ["internal"] * 6 + ["other clinic"] * 6
    assert browser.ask("document.querySelector('#case-table tbody tr').lastElementChild.innerText").startswith("+")
    assert [event for event in browser.events if event.get("method") in WRONG] == []


def test_table_shows_another_organ_and_measure(browser, page):
    browser.open(page, 1280)
    choose(browser, "role", "validation")
    choose(browser, "organ", "4")
    choose(browser, "measure", "NSD")
    table = read_results(page.parents[1]).rounds[0].scores
    pancreas = table[table["label"] == 4].set_index("case")["NSD"]
    cases = browser.ask(FIRST_COLUMN)
    assert len(cases) == 6
    for case, value in zip(cases, browser.ask(SCORES), strict=True):
        assert value == pytest.approx(pancreas[case], abs=6e-4)


def test_pseudo_labelled_case_says_what_became_of_it(browser, page):
    browser.open(page, 1280)
    choose(browser, "text", "unlabelled_0007")
    browser.ask("document.querySelector('#case-table tbody button').click()")
    said = browser.ask("document.querySelector('#case-table .detail').innerText")
    selection = read_results(page.parents[1]).rounds[2].selection.set_index("case").loc["Unlabelled_0007"]
    assert f"Round 2, {selection.decision}: {selection.reason}." in said
    assert "confidence, round 1" in said and "round_2/pseudo_labels/Unlabelled_0007.nii.gz" in said


def test_rows_are_added_as_one_scrolls_and_for_paper(browser, tmp_path):
    page = make_page(SyntheticRun(gains=(0.02,), test=4, validation=0, unlabelled=400), tmp_path)
    browser.open(page, 1280)
    count = "document.querySelectorAll('#case-table tbody tr').length"
    assert browser.ask(count) == 100
    assert browser.ask("document.querySelector('#case-controls output').textContent").startswith("412 of 412 cases; ")
    browser.ask("document.querySelector('#case-table').parentElement.scrollTop = 1e6")
    browser.wait_for(f"{count} > 100")
    choose(browser, "role", "test")
    assert browser.ask(count) == 4
    choose(browser, "role", "")
    browser.call("Page.printToPDF")
    assert browser.ask(count) == 300


def test_case_unfolds_to_its_organs(browser, page):
    browser.open(page, 1280)
    browser.ask("document.querySelector('#case-table tbody button').click()")
    assert browser.ask("document.querySelectorAll('#case-table .detail tr').length") == 15
    browser.ask("document.querySelector('#case-table tbody button').click()")
    assert browser.ask("document.querySelectorAll('#case-table .detail').length") == 0


# Words of letters alone that go over two lines; a checksum is none, nor is a part of it.
BROKEN = """(() => {
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { currentNode: text } = texts;
    if (text.parentElement.closest("script, style, svg, code, pre, .hidden")) continue;
    for (const { 0: word, index } of text.data.matchAll(/(?<![\\p{L}\\d])\\p{L}+(?![\\p{L}\\d])/gu)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(word);
    }
  }
  return found;
})()"""


@pytest.mark.parametrize("width", [390, 1280])
def test_page_is_never_wider_than_the_screen(browser, any_page, width):
    browser.open(any_page, width)
    assert browser.ask("document.documentElement.scrollWidth") <= width


def test_no_word_is_broken_on_a_phone(browser, page):
    browser.open(page, 390)
    assert browser.ask(BROKEN) == []
    browser.ask("document.querySelector('.lead').style.width = '2em'")
    assert "reached" in browser.ask(BROKEN)


def test_tables_that_scroll_say_so(browser, page):
    said = "getComputedStyle(document.querySelector('#summary .scroll'), '::before').content"
    for width, words in ((390, '"scrolls sideways →"'), (1280, "none")):
        browser.open(page, width)
        browser.wait_for(f"{said} === '{words}'")


def test_page_prints_with_everything_unfolded(browser, page):
    browser.open(page, 1280)
    folded = "document.querySelectorAll('details:not([open])').length"
    browser.ask(f"addEventListener('beforeprint', () => {{ window.foldedInPrint = {folded}; }})")
    before = browser.ask(folded)
    printed = base64.b64decode(browser.call("Page.printToPDF")["data"])
    assert printed.startswith(b"%PDF") and printed.count(b"/Type /Page\n") > 5
    assert before > 0 and browser.ask("window.foldedInPrint") == 0 and browser.ask(folded) == before


# Every visible text whose contrast with what lies behind it is below WCAG's level AA: 4.5, large text 3.
PALE = """(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, place) => sum + value * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || element.closest("script, style, desc, title")) continue;
    const style = getComputedStyle(element);
    const colour = element.closest("svg") ? style.fill : style.color;
    const [high, low] = [light(colour), light(ground(element))].sort((one, other) => other - one);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < (isLarge ? 3 : 4.5)) found.push(`${texts.currentNode.textContent.trim()}: ${contrast.toFixed(2)}`);
  }
  return found;
})()"""


def test_every_text_has_the_contrast_of_wcag_aa(browser, any_page):
    browser.open(any_page, 1280)
    browser.ask("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
    browser.ask("document.querySelector('#case-table tbody button')?.click()")
    assert browser.ask(PALE) == []
    browser.ask("document.querySelector('.lead').style.color = '#8a8a8a'")
    assert len(browser.ask(PALE)) == 1


def test_large_run_gives_a_small_page_that_answers_at_once(browser, page, tmp_path):
    SyntheticRun(test=200, validation=50, unlabelled=500, labelled=50, epochs=1000, folds=5).write(tmp_path)
    examples = read_examples(page.parents[1] / "examples.json")
    noise = base64.b64encode(np.random.default_rng(1).bytes(limit_for(len(examples)) // 8 * 3)).decode()
    volumes = Volumes({"image": noise, "truth": noise}, {"truth": "truth.nii.gz"}, [[0, 1, 1]] * 3)
    full = [replace(example, volumes=volumes) for example in examples]
    write_examples(full, tmp_path / "examples.json")
    write_report(read_results(tmp_path), tmp_path / "report/report.html")
    assert (tmp_path / "report/report.html").stat().st_size < 15_000_000
    assert min(seconds_to_answer(browser, tmp_path / "report/report.html") for _ in range(3)) < 2


def seconds_to_answer(browser, page):
    start = time.monotonic()
    browser.open(page, 1280)
    choose(browser, "text", "test_0123")
    assert browser.ask("document.querySelector('#case-controls output').textContent") == "1 of 800 cases"
    return time.monotonic() - start


def open_viewer(browser, page, case):
    browser.open(page, 1280)
    browser.ask(f"""document.querySelector('[data-view="{case}"]').click()""")
    browser.wait_for("document.getElementById('viewer').dataset.ready === 'yes'")


def coloured_share(browser):
    """The share of the viewer's pixels that are not grey, and whether there are grey ones between black and white."""
    red, green, blue = np.moveaxis(np.asarray(browser.picture("#viewer canvas")).astype(int), -1, 0)
    spread = np.maximum(abs(red - green), abs(green - blue))
    return (spread > 40).mean(), bool(((spread < 3) & (red > 60) & (red < 200)).mean() > 0.05)


def test_viewer_shows_the_scan_and_switches_what_lies_over_it(browser, page):
    case = "Unlabelled_0007"
    open_viewer(browser, page, case)
    titles = browser.ask("[...document.querySelectorAll('#viewer input[type=radio]')].map(input => input.value)")
    assert titles == ["image", "truth", "pseudo-label, round 1", "pseudo-label, round 2"]
    assert browser.ask("getComputedStyle(document.getElementById('viewer')).backgroundColor") == "rgb(255, 255, 255)"
    shares = {}
    for title in titles:
        browser.ask(f"""document.querySelector('#viewer input[value="{title}"]').click()""")
        shares[title], is_grey = coloured_share(browser)
        assert is_grey
    assert shares["image"] < 0.01 < min(shares["truth"], shares["pseudo-label, round 2"])
    assert shares["truth"] != shares["pseudo-label, round 2"]


def choose_in_viewer(browser, name, value):
    browser.ask(f"""(() => {{ const form = document.querySelector('#viewer form');
        form.elements['{name}'].value = '{value}'; form.dispatchEvent(new Event('input')); }})()""")


def test_viewer_shows_where_two_label_maps_differ_the_slices_and_the_file(browser, page):
    open_viewer(browser, page, "Unlabelled_0007")
    legend = "[...document.querySelectorAll('#viewer .legend li')].map(item => item.textContent)"
    assert "liver" in browser.ask(legend)
    choose_in_viewer(browser, "overlay", "pseudo-label, round 1")
    assert browser.ask("document.querySelector('#viewer p.file').textContent").endswith(
        "round_1/pseudo_labels/Unlabelled_0007.nii.gz"
    )
    whole, _ = coloured_share(browser)
    choose_in_viewer(browser, "against", "pseudo-label, round 2")
    different, _ = coloured_share(browser)
    assert 0 < different < whole
    assert browser.ask(legend) == ["only in pseudo-label, round 1", "only in pseudo-label, round 2", "another organ"]
    said = browser.ask("document.querySelector('#viewer output').textContent")
    assert said.startswith("At the crosshair: truth: ") and " of 34; coronal " in said
    box = browser.ask("document.querySelector('#viewer canvas').getBoundingClientRect().toJSON()")
    place = {"x": box["x"] + 0.3 * box["width"], "y": box["y"] + 0.5 * box["height"]}
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", **place)
    browser.wait_for("document.querySelector('#viewer output').textContent.startsWith('Under the cursor: truth: ')")


def test_viewer_loads_what_lies_beside_the_page_and_says_how_to_make_what_does_not(browser, page):
    results = read_results(page.parents[1])
    for wanted in volumes_of(results, ["Unlabelled_0002", "Labelled_0001"]):
        draw(wanted, page.parent / "volumes")
    for case in ("Unlabelled_0002", "Labelled_0001"):
        browser.open(page, 1280)
        choose(browser, "text", case)
        choose(browser, "role", case.split("_")[0].lower())
        browser.ask("document.querySelector('#case-table tbody button').click()")
        browser.ask("document.querySelector('#case-table .detail [data-view]').click()")
        browser.wait_for("document.getElementById('viewer').dataset.ready === 'yes'")
        assert coloured_share(browser)[0] > 0.01
        assert [event for event in browser.events if event.get("method") in WRONG] == []
    browser.ask("document.querySelector('#viewer form button').click()")
    browser.ask("document.querySelector('#case-table .detail [data-view]').dataset.view = 'Labelled_0002'")
    browser.ask("document.querySelector('#case-table .detail [data-view]').click()")
    browser.wait_for("document.getElementById('viewer').dataset.ready === 'failed'")
    assert browser.ask("document.querySelector('#viewer .problem').innerText").endswith("--cases Labelled_0002")


def test_viewer_opens_from_a_row_of_the_table_and_another_case_after_it(browser, page):
    browser.open(page, 1280)
    best = browser.ask("document.querySelector('#examples [data-view]').dataset.view")
    choose(browser, "text", best)
    browser.ask("document.querySelector('#case-table tbody tr:not([hidden]) button').click()")
    browser.ask("document.querySelector('#case-table .detail [data-view]').click()")
    browser.wait_for("document.getElementById('viewer').dataset.ready === 'yes'")
    first = browser.picture("#viewer canvas")
    assert browser.ask("document.querySelector('#viewer h3').textContent") == best
    browser.ask("document.querySelector('#viewer form button').click()")
    browser.ask("""document.querySelector('[data-view="Unlabelled_0007"]').click()""")
    browser.wait_for("document.getElementById('viewer').dataset.ready === 'yes'")
    assert np.asarray(browser.picture("#viewer canvas")).std() > 10
    assert browser.picture("#viewer canvas").tobytes() != first.tobytes()
    assert [event for event in browser.events if event.get("method") in WRONG] == []
