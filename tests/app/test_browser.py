"""The page in a real browser: every control, nothing fetched, printable, usable by keyboard and screen reader."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from blindscore.designs.registry import PLAIN
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance import frontier
from blindscore.surveillance.ledger import PLAYED, Ledger
from blindscore_app.entry import submission
from blindscore_app.locale import LANGUAGES, speaking
from blindscore_app.report import figures, grid, sentences
from blindscore_app.report.html import render_page
from tests.app.conftest import chromium, quick_capabilities

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")

SUBMISSIONS = Path(__file__).parents[2] / "submissions"
SIZES = {"phone": (360, 740), "desk": (1280, 900)}


@pytest.fixture(scope="module")
def real_ledger() -> Iterator[Ledger]:
    """A true run, small, without cryptography."""
    people = make_society(people=400, seed=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frontier, "load_capabilities", quick_capabilities)
        yield frontier.measure(
            people, [kind() for kind in PLAIN], Scorecard(), seed=2, command="blindscore frontier --people 400"
        )


@pytest.fixture(scope="module")
def page_file(real_ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page(real_ledger), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The page of the archived run that README shows, by language: each is drawn once."""
    (archived,) = SUBMISSIONS.glob("blindscore-*.json.gz")
    ledger = submission.read(archived).ledger

    @cache
    def drawn(language: str) -> Path:
        path = tmp_path_factory.mktemp("whole") / f"{language}.html"
        with speaking(language):
            path.write_text(render_page(ledger), encoding="utf-8")
        return path

    return drawn


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


def _open_sections(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details.section').forEach(d => { d.open = true; })")


@pytest.fixture
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    """The page, opened; it must ask for nothing else and say nothing on the console."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(page_file.as_uri())
    _open_sections(opened)
    yield opened
    assert requests == [page_file.as_uri()]
    assert complaints == []
    context.close()


def test_numbers_on_the_page_are_those_of_the_ledger(page: Any, real_ledger: Ledger) -> None:
    lines = page.eval_on_selector_all(
        "[data-row]", "lines => lines.map(l => [Number(l.dataset.row), [...l.cells].map(c => c.textContent.trim())])"
    )
    played = [number for number, row in enumerate(real_ledger.rows) if row.kind == PLAYED]
    assert sorted(number for number, _ in lines) == played
    for number, cells in lines:
        row = real_ledger.rows[number]
        assert cells[:3] == [row.design, row.capability, row.secret]
        interval = f"[{figures.fixed(row.low)}, {figures.fixed(row.high)}]"
        assert cells[3] == f"{figures.fixed(row.advantage)} {interval}{' removed' if row.removed else ''}"
        assert cells[4] == ("–" if row.control is None else figures.fixed(row.control))
        if row.bound is None:
            assert cells[5] == "none"
        else:
            assert row.bound - 1e-8 <= float(cells[5]) < row.bound + 0.01
        assert cells[7:] == [row.attack, row.reason]
    for design in real_ledger.designs:
        line = page.locator(f"#frontier tr[data-design='{design.design}']")
        assert line.locator("[data-key=auc]").inner_text() == f"{design.auc:.3f}"
        assert line.locator("[data-points=auc_loss]").inner_text() == figures.points(design.auc_loss)
        assert line.locator("[data-key=bytes_up]").inner_text() == str(design.bytes_up)
    assert page.locator(".headline").inner_text().startswith(sentences.headline(real_ledger, "scorer"))


def test_the_grid_is_that_of_the_ledger(page: Any, real_ledger: Ledger) -> None:
    asked, lines = grid.columns(real_ledger, "scorer"), grid.lines(real_ledger, "scorer")
    assert len(lines) == len(PLAIN)
    for line in lines:
        shown = page.locator(f"#grid tr[data-line='{line.design.design}'] td")
        said = [cell.split("\n")[0] for cell in shown.all_inner_texts()]
        told = [
            grid.answer(real_ledger.find(design=line.design.design, coalition=c.coalition, capability=c.capability))
            for c in asked
        ]
        assert said[: len(asked)] == [grid.SAID[answer][0] for answer in told]
        assert said[len(asked) :] == [f"{line.pooled}/{len(asked)}", str(round(100 * line.design.auc + 1e-9))]
    first = page.locator("section.first").inner_text()
    assert all(sentence in first for sentence in grid.lead(real_ledger, "scorer"))
    assert "Synthetic society" in page.locator(".banner").inner_text()


@pytest.mark.parametrize(("size", "screens"), [((1280, 800), 1), ((390, 844), 2)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_page_one_fits_with_its_doors(
    browser: Any, whole_page: Callable[[str], Path], size: tuple[int, int], screens: int, language: str
) -> None:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(whole_page(language).as_uri())
    assert page.evaluate("document.querySelector('.doors').getBoundingClientRect().bottom") <= screens * size[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert (
        page.evaluate("(() => { const g = document.querySelector('.grid'); return g.scrollWidth - g.clientWidth; })()")
        <= 0
    )
    cells = "[...document.querySelectorAll('#grid tbody :is(td, th)')]"
    assert page.evaluate(f"{cells}.length") > 100
    assert page.evaluate(f"{cells}.filter(c => c.scrollWidth > c.clientWidth).map(c => c.innerText)") == []
    assert page.locator(".door").count() == 3
    before = page.evaluate("document.body.innerText.split(document.querySelector('.door h2').innerText)[0]")
    assert 50 < len(before.split()) < 800
    assert page.locator("details.section[open]").count() == 0
    page.locator(".doors a").first.click()
    assert page.locator("details.section[open]").count() == 1
    context.close()


@pytest.mark.parametrize("font", ["Liberation Sans", "DejaVu Sans", "DejaVu Sans Mono"])
def test_no_label_of_a_chart_is_cut_off_in_any_font(browser: Any, whole_page: Callable[[str], Path], font: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.goto(whole_page("en").as_uri())
    _open_sections(page)
    page.add_style_tag(content=f"svg, svg text {{ font-family: '{font}' !important; }}")
    cut = page.evaluate(
        """() => [...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width)
            .flatMap(s => [...s.querySelectorAll('text')]
                .filter(t => t.getBoundingClientRect().left < s.getBoundingClientRect().left - 1)
                .map(t => t.textContent))"""
    )
    assert page.locator("svg text", has_text="encrypted-audited").count() > 1
    assert cut == []
    context.close()


def test_an_order_shows_what_the_ledger_says(page: Any, real_ledger: Ledger) -> None:
    for design, party in (("platform", "scorer"), ("minimal", "scorer+state"), ("bureau", "source")):
        page.select_option("#order-design", design)
        page.select_option("#order-party", party)
        page.get_by_role("button", name="Serve the order").click()
        order = real_ledger.find(design=design, coalition=party, capability="disclose")[0]
        said = page.locator("#order-answer").inner_text()
        assert f"exposes {order.people_exposed} of 400 people" in said
        stored = [v["stored"] for v in real_ledger.design(design).sees if v["role"] in party.split("+")]
        assert all(figures.label(real_ledger, name) in said for names in stored for name in names)
        traits = real_ledger.find(design=design, coalition=party, capability="profile")
        for row in traits:
            assert row.secret in said
            assert figures.fixed(row.advantage) in said


def test_an_order_for_one_person_shows_how_surely_the_record_is_found(page: Any, real_ledger: Ledger) -> None:
    page.select_option("#order-authority", "one")
    for design, party in (("platform", "scorer"), ("minimal", "scorer"), ("minimal", "lender+source")):
        page.select_option("#order-design", design)
        page.select_option("#order-party", party)
        page.get_by_role("button", name="Serve the order").click()
        said = page.locator("#order-answer").inner_text()
        views = [view for view in real_ledger.design(design).sees if view["role"] in party.split("+")]
        assert len(views) == len(party.split("+"))
        for view in views:
            # Records under a name are found by it; an attack's figure is said of that party's own records alone.
            assert (f"{grid.party_words(view['role'])} carry the person's legal number" in said) == (
                view["keyed_by"] == "legal id"
            )
            assert all(view["record"][name] in said for name in view["stored"])
            if view["keyed_by"] != "legal id":
                (own,) = real_ledger.find(design=design, coalition=view["role"], capability="link", secret="name")
                assert f"advantage {figures.fixed(own.advantage)}, 95% {figures.fixed(own.low)}" in said
        if all(view["keyed_by"] == "legal id" for view in views):
            assert "with advantage" not in said
        assert ("Of a person so found" in said) == any(view["keyed_by"] == "legal id" for view in views)


def test_choosing_a_coalition_shows_its_rows_and_no_other(page: Any, real_ledger: Ledger) -> None:
    for name in figures.coalitions(real_ledger):
        page.select_option("#coalition", name)
        shown = page.locator(".coalition:visible")
        assert shown.count() == 1
        assert shown.get_attribute("data-coalition") == name


def test_the_sliders_show_the_scores_of_the_kernel(page: Any, real_ledger: Ledger) -> None:
    sliders = real_ledger.meta["person"]["sliders"]
    for setting in ([s["start"] for s in sliders], [len(s["positions"]) - 1 for s in sliders], [0] * len(sliders)):
        index = 0
        for k, (at, slider) in enumerate(zip(setting, sliders, strict=True)):
            page.locator(f"#slider-{k}").fill(str(at))
            index = index * len(slider["positions"]) + at
        for design in real_ledger.designs:
            raw = base64.b64decode(design.person["scores"])
            (score,) = struct.unpack_from("<h", raw, 2 * index)
            line = page.locator(f"#person-table tr[data-design='{design.design}']")
            assert line.locator("[data-part=score]").inner_text() == str(score)
            word = "approved" if score >= design.person["threshold"] else "refused"
            assert line.locator("[data-part=decision]").inner_text().startswith(word)


def test_sliders_and_buttons_answer_the_keyboard(page: Any) -> None:
    page.locator("#slider-0").focus()
    before = page.locator("#slider-0").input_value()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator("#slider-0").input_value() == "1"
    assert before != ""
    page.get_by_role("button", name="Serve the order").focus()
    page.keyboard.press("Enter")
    assert "exposes" in page.locator("#order-answer").inner_text()
    log = page.locator("details.log summary").first
    log.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.log").first.get_attribute("open") is not None


def test_a_partys_log_shows_the_values_that_it_holds(page: Any, real_ledger: Ledger) -> None:
    first = real_ledger.designs[0].sees[0]
    page.locator("summary", has_text="Log of the company that scores you").first.click()
    shown = page.locator("dl.record").first.inner_text()
    for name, value in first["record"].items():
        assert figures.label(real_ledger, name) in shown
        assert value in shown


@pytest.mark.parametrize(("scheme", "size"), [("light", "desk"), ("dark", "phone")])
def test_axe_finds_no_barrier(browser: Any, page_file: Path, scheme: str, size: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.get_by_role("button", name="Serve the order").click()
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
    found = axe.run(page, options=rules)
    assert found.response["passes"], "axe ran no rule"
    assert found.response["violations"] == [], found.generate_report()
    context.close()


def test_a_phone_scrolls_tables_not_the_page(browser: Any, page_file: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_a_phone_scrolls_tables_not_the_page_with_all_of_it_open(
    browser: Any, whole_page: Callable[[str], Path]
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(whole_page("en").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_it_prints_to_a4(page: Any) -> None:
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
    assert len(boxes) > 2
    assert all(abs(float(w) - 595.3) < 2 and abs(float(h) - 841.9) < 2 for w, h in boxes)


def test_it_paints_soon_and_is_small(page: Any, page_file: Path) -> None:
    assert page_file.stat().st_size < 3_000_000
    # A busy machine may paint after the page has loaded: wait for it, and fail if it never comes.
    painted = page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    assert painted.json_value() is True


def test_without_scripts_the_page_still_tells_everything(browser: Any, page_file: Path, real_ledger: Ledger) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("h1").inner_text() == grid.lead(real_ledger, "scorer")[0]
    page.locator("details.section > summary", has_text="The frontier").click()  # a section opens without a script, too
    assert page.locator(".headline").inner_text().startswith(sentences.headline(real_ledger, "scorer"))
    assert page.locator("svg").count() > 5
    context.close()
