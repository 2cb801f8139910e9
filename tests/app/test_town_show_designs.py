"""The page over every design but ``sealed`` (test_town_show.py): one applies, and each window says what lies there."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from blindscore_app.town import board
from blindscore_app.town.folders import folder_of
from blindscore_app.town.order import of_party, telling
from blindscore_app.town.parts import PARTS
from tests.app.conftest import chromium

pytest.importorskip("fastapi", reason="the page needs fastapi")
pytest.importorskip("uvicorn", reason="the page needs uvicorn")

from blindscore_app.town.show.house import DESIGNS, House, house_of
from tests.town_page import PHONE, fits_and_is_accessible, served

PEOPLE, PATIENCE_MS = 2, 180_000  # parties come up slowly where a machine is busy
PLAYED = [design for design in PARTS if design != "sealed"]
# design -> what the lender's sentence counts: totals, decisions, pseudonyms
AT_LENDER = {
    "encrypted": "1 total and 0 decisions, under 1 pseudonym, and 1 answer, approved or refused,",
    "encrypted-decision": "0 totals and 1 decision, under 1 pseudonym, and 1 answer, approved or refused,",
    "encrypted-audited": "1 total and 0 decisions, under 1 pseudonym, and 1 answer, approved or refused,",
    "encrypted-proved": "1 total and 0 decisions, under 1 pseudonym, and 1 answer, approved or refused,",
    "one-show": "1 decision, approved or refused,",
}
THIRD = {"encrypted-decision": ("helper", "0 totals and 0 decisions"), "encrypted-audited": ("auditor", "1 total")}
SIGNED = ("encrypted-audited", "encrypted-proved")  # the person is told its score
PICTURES = os.environ.get("BLINDSCORE_PICTURES")  # folder for a look at each design's page; none are kept without


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A town of two for each design that is chosen."""
    folder = tmp_path_factory.mktemp("towns")

    def found(design):
        town, passphrase, _ = board.prepare(folder / design, design, PEOPLE, 3, history=500, delay_s=1, relay=False)
        return town, passphrase

    with House(tuple(PLAYED), found) as made:
        made.choose(PLAYED[0])
        yield made


def test_every_design_that_a_town_plays_can_be_chosen():
    assert set(DESIGNS) == set(PARTS) == {"sealed", *AT_LENDER}


@pytest.fixture(scope="module")
def phone(house):
    """The page in a browser as narrow as a telephone; what it complains of."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")
    with served(house, "a-token") as address, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": PHONE, "height": 800}, bypass_csp=True).new_page()
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        yield page, complaints
        browser.close()


@pytest.mark.parametrize("design", PLAYED)
def test_one_applies_and_each_window_says_what_lies_with_its_party(house, phone, design):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    page, complaints = phone
    if design != house.design:
        page.select_option("#design", design)
    page.wait_for_function("/parties are up/.test(document.getElementById('status').textContent)", timeout=PATIENCE_MS)
    assert house.design == design
    page.get_by_role("button", name="Fetch signatures").click()
    page.wait_for_function(
        "document.getElementById('status').textContent === 'The sources have signed.'", timeout=PATIENCE_MS
    )
    assert page.locator("#wallet-facts").inner_text().endswith("not asked for yet")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_function("/answered/.test(document.getElementById('status').textContent)", timeout=PATIENCE_MS)
    stage = house.stage
    approved = json.loads((stage.town.folder / board.CLEAR).read_text("utf-8"))["lender"][0]
    assert f"The lender answered: {'approved' if approved else 'refused'}." == page.locator("#status").inner_text()

    _wallet_says(page, stage, design)
    said = page.locator("#lender-said").inner_text()
    assert AT_LENDER[design] in said
    assert f"name 0 of {PEOPLE} people and hold a figure of 0;" in said
    assert f"legal id of 0 of {PEOPLE} people" in page.locator("#state-said").inner_text()
    bank = page.locator("#bank-said").inner_text()
    assert f"names of {PEOPLE} and figures of {PEOPLE} of its {PEOPLE} customers" in bank
    assert f"{stage.people[0]} fetched signatures" in bank
    assert "received 0 messages" in bank
    _windows_hold_what_was_sent(page, stage)
    _third_window(page, stage, design)

    page.select_option("#on", "lender")
    page.get_by_role("button", name="Serve an order").click()
    found = "total" if AT_LENDER[design].startswith("1 total") else "decision"
    page.wait_for_selector(f"#order-answer td.{found}")
    assert page.locator("#order-answer td.name, #order-answer td.figure").count() == 0
    fits_and_is_accessible(page, axe)
    assert complaints == []
    _picture(page, design)


def _wallet_says(page, stage, design):
    facts, wallet = page.locator("#wallet-facts").inner_text(), stage._wallet(0)[0]
    score = wallet.score() if callable(wallet.score) else wallet.score
    assert (score is not None) == (design in (*SIGNED, "one-show"))
    assert (f"{score} points" in facts) == (score is not None)
    assert page.locator("#wallet-more").is_visible() == (design == "one-show")
    assert page.locator("#wallet-lacks").inner_text().startswith("The card is this lender's secret") == (
        design != "one-show"
    )


def _windows_hold_what_was_sent(page, stage):
    """Each body that went to bank or lender is in its window, and of the size that the receiver's own log states."""
    for name in ("bank", "lender"):
        mine = [one for one in stage.exchanges if one.to == name]
        assert mine
        assert all(one.logged["bytes"] == len(one.body) for one in mine)
        dumps = {code.replace(" ", "")[:32] for code in page.locator(f"#{name}-received code.body").all_inner_texts()}
        assert dumps == {one.body[:16].hex() for one in mine}


def _third_window(page, stage, design):
    assert page.locator("#third").is_visible() == (design in THIRD)
    if design not in THIRD:
        return
    name, held = THIRD[design]
    assert page.locator("#h-third").inner_text() == f"The {name}"
    page.wait_for_function(
        f"document.getElementById('third-said').textContent.includes('hold {held}')", timeout=PATIENCE_MS
    )
    said, known = page.locator("#third-said").inner_text(), board.whom(stage.town.folder)
    exposed = telling(of_party(stage.town.folder, name), known)
    assert sum(one.totals for one in exposed) == int(re.search(r"hold (\d+) total", said)[1])
    assert f"name 0 of {PEOPLE} people and hold a figure of 0 " in said
    bodies = page.locator("#third-received code.body").all_inner_texts()
    direct = [one for one in stage.exchanges if one.to == name]
    assert [body.replace(" ", "")[:32] for body in reversed(bodies)] == [one.body[:16].hex() for one in direct]
    assert bool(direct) == (name == "helper")  # a wallet speaks to a helper; to an auditor its lender alone does
    log = (folder_of(stage.town.folder, name) / "service.log").read_text("utf-8")
    logged = page.locator("#third-received code.logged").all_inner_texts()
    assert logged
    assert {json.loads(line)["kind"] for line in logged} == set(re.findall(r'"kind": "(\w+)"', log))
    assert page.locator("#third-kept td").count() > 0


def _picture(page, design):
    if PICTURES:
        for width in (PHONE, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=Path(PICTURES) / f"{design}-{width}.png", full_page=True)
        page.set_viewport_size({"width": PHONE, "height": 800})


def test_a_town_of_any_design_is_watched(house):
    assert house_of(house.stage.town).designs == (house.design,)
