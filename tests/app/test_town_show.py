"""The town's page: one person applies in real processes; the windows show what each received, an order its rows."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from itertools import groupby

import pytest

from blindscore.errors import DataError, ParameterError
from blindscore_app.town.board import EXPERIMENT, prepare
from blindscore_app.town.founding import PUBLIC
from blindscore_app.town.running import town_of
from blindscore_app.town.standing import ADDRESSES
from tests.app.conftest import chromium

pytest.importorskip("fastapi", reason="the page needs fastapi")
pytest.importorskip("uvicorn", reason="the page needs uvicorn")

from blindscore_app.town.show import serve as serve_module
from blindscore_app.town.show.house import House
from blindscore_app.town.show.rows import seized_rows
from blindscore_app.town.show.server import MAX_BODY, TOKEN
from blindscore_app.town.show.stage import staged
from tests.town_page import PHONE, fits_and_is_accessible, served

PEOPLE = 2
SECRET = "a-token-of-this-test"
DESIGN = "sealed"  # the others: test_town_show_designs.py


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A town of two, on stage."""
    folder = tmp_path_factory.mktemp("town") / "a"
    town, passphrase, _ = prepare(folder, DESIGN, PEOPLE, 3, history=500, delay_s=1, relay=False)
    with House((DESIGN,), lambda _: (town, passphrase)) as made:
        made.choose(DESIGN)
        yield made


@pytest.fixture(scope="module")
def address(house):
    """The page."""
    with served(house, SECRET) as place:
        yield place


def _ask(address, path, body=None, headers=None):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    given = {TOKEN: SECRET, "Content-Type": "application/json"} | (headers or {})
    request = urllib.request.Request(address + path, data=data, headers=given)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read(), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/api/design", {"design": "platform"}, 400, "this page plays sealed, not 'platform'"),
        ("/api/fetch", {"person": 99}, 400, "there is no person 99"),
        ("/api/fetch", {"person": "0"}, 422, "body.person"),
        ("/api/apply", {}, 422, "body.person"),
        ("/api/apply", b"{", 422, "body"),
        ("/api/what-if", {"person": 0, "feature": "shoe size", "bin": 0}, 400, "not found the lender's terms"),
        ("/api/order", {"on": "mayor"}, 400, "no party of this town is called 'mayor'"),
        ("/api/order", {"on": "lender", "person": -1}, 422, "body.person"),
        ("/api/order", b" " * (MAX_BODY + 1), 413, "at most"),
        ("/api/state?person=7", None, 400, "there is no person 7"),
    ],
)
def test_bad_input_gets_one_line(address, path, body, status, words):
    found, said, _ = _ask(address, path, body)
    detail = json.loads(said)["detail"]
    assert found == status
    assert re.search(words, detail)
    assert "\n" not in detail


def test_strangers_and_strange_names_are_kept_out(address):
    status, page, headers = _ask(address, "/")
    assert status == 200
    assert f'content="{SECRET}"'.encode() in page
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    for path, body in (("/api/state", None), ("/api/apply", {"person": 0}), ("/api/order", {"on": "bank"})):
        assert _ask(address, path, body, {TOKEN: "guessed"})[0] == 403
    assert _ask(address, "/", headers={"Host": "town.example"})[0] == 400
    assert serve_module.ADDRESS == "127.0.0.1"


def test_one_applies_in_a_browser_and_the_windows_show_what_was_received(house, address):
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    stage = house.stage
    legal_id = stage.people[0]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        guarded = browser.new_page()  # under the page's own policy, which forbids what a test injects elsewhere
        guarded.goto(address)
        guarded.locator("#person option").nth(PEOPLE - 1).wait_for(state="attached")
        page = browser.new_context(viewport={"width": PHONE, "height": 800}, bypass_csp=True).new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.get_by_role("button", name="Fetch signatures").click()
        page.wait_for_function("!document.getElementById('wallet-more').hidden")
        score = stage._wallet(0)[0].score()
        assert f"{score} points" in page.locator("#wallet-facts").inner_text()
        page.get_by_role("button", name="Count").click()
        page.wait_for_function("document.getElementById('what-if-said').textContent !== ''")
        assert f"The score would be {score} in place of {score}" in page.locator("#what-if-said").inner_text()
        page.get_by_role("button", name="Apply").click()
        page.wait_for_function("/answered/.test(document.getElementById('status').textContent)", timeout=60_000)

        word = "approved" if score >= stage._wallet(0)[0].terms.threshold else "refused"
        assert f"The lender answered: {word}" in page.locator("#status").inner_text()
        for name in ("bank", "lender"):
            _windows_hold_what_was_received(page, stage, name, legal_id)
        assert "1 decision, approved or refused" in page.locator("#lender-said").inner_text()
        assert f"legal id of 0 of {PEOPLE} people" in page.locator("#state-said").inner_text()

        page.select_option("#on", "bank")
        page.get_by_role("button", name="Serve an order").click()
        page.wait_for_selector("#order-answer td.name")
        answer = page.locator("#order-answer")
        assert f"names {PEOPLE} of {PEOPLE} people, reads a figure of {PEOPLE}" in answer.inner_text()
        assert {cell.inner_text() for cell in answer.locator("td.name").all()} >= set(stage.people)
        assert answer.locator("td.figure").count() > PEOPLE
        page.select_option("#on", "lender")
        page.get_by_role("button", name="Serve an order").click()
        page.wait_for_selector("#order-answer td.decision")
        assert answer.locator("td.name, td.figure").count() == 0
        assert answer.locator("td.decision").all_inner_texts() == [word]

        fits_and_is_accessible(page, axe)
        assert all(url.startswith(address) for url in asked)
        assert complaints == []
        browser.close()
    passed = stage.wire.content()
    assert len(passed) > sum(len(one.body) for one in stage.exchanges)
    assert not any(one.body in passed for one in stage.exchanges)  # the line carries them under TLS
    with pytest.raises(DataError, match="answered in this epoch"):
        stage.apply(0)


def _windows_hold_what_was_received(page, stage, name, legal_id):
    """Each body is of the size that the receiver's own log states, and the window shows its first bytes."""
    own = [one for one in stage.exchanges if one.to == name]
    assert own
    for one in own:
        assert one.logged["bytes"] == len(one.body)
        assert one.logged["kind"] == one.kind
        assert one.logged["status"] == 200
        assert one.login == (legal_id if name == "bank" else "")
    dumps = [code.replace(" ", "") for code in page.locator(f"#{name}-received code.body").all_inner_texts()]
    sent = [body[:16].hex() for body, _ in groupby(one.body for one in reversed(own))]  # said again at once: once
    assert sent == [dump[:32] for dump in dumps]


def test_an_order_for_one_person_shows_rows_of_that_person_alone(house):
    stage = house.stage
    answer = stage.order("bank", 1)
    named = {
        cell["text"] for table in answer["tables"] for row in table["shown"] for cell in row if cell["says"] == "name"
    }
    assert stage.people[1] in named
    assert stage.people[0] not in named
    assert stage.order("lender", 1)["tables"] == []


def test_what_is_no_database_is_named(tmp_path):
    (tmp_path / "other.db").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"other\.db: file is not a database"):
        seized_rows(tmp_path, {}, one_person=False)


def test_a_town_that_is_up_is_watched_and_one_that_is_down_is_refused(house, tmp_path):
    stage = house.stage
    with staged(town_of(stage.town.folder)) as second:
        assert second.shown(0)["lender"]["received"] == []  # watched from now on
        assert second.people == stage.people
    shutil.copytree(stage.town.folder / PUBLIC, tmp_path / PUBLIC)
    with pytest.raises(DataError, match="nobody can be counted"), staged(town_of(tmp_path)):
        pass
    shutil.copy(stage.town.folder / EXPERIMENT, tmp_path)
    (tmp_path / PUBLIC / ADDRESSES).write_text("{}")
    with pytest.raises(DataError, match="is not up; start it with"), staged(town_of(tmp_path)):
        pass
    with pytest.raises(ParameterError, match="there is no person 5"):
        stage.what_if(5, "income", 0)
