"""The explorer: its HTTP interface, its live kernel, and its page in a browser."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blindscore.designs.parameters import with_settings
from blindscore.designs.registry import PLAIN
from blindscore.errors import DataError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance import frontier
from blindscore.surveillance.ledger import Ledger
from tests.app.conftest import Run, chromium, make_ledger, quick_capabilities

pytest.importorskip("fastapi", reason="the explorer needs fastapi")
uvicorn = pytest.importorskip("uvicorn", reason="the explorer needs uvicorn")

from blindscore.designs import registry  # noqa: E402  the skip above comes first
from blindscore_app.explorer import live as live_module  # noqa: E402
from blindscore_app.explorer.live import Live  # noqa: E402
from blindscore_app.explorer.server import MAX_BODY, make_app  # noqa: E402


@pytest.fixture(scope="module")
def plain_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "entry_points", lambda group: [])
        yield


@pytest.fixture(scope="module")
def real_ledger() -> Iterator[Ledger]:
    people = make_society(people=300, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frontier, "load_capabilities", quick_capabilities)
        yield frontier.measure(
            people, [kind() for kind in PLAIN], Scorecard(), seed=3, command="blindscore frontier --people 300"
        )


@pytest.fixture(scope="module")
def live(plain_only: None, real_ledger: Ledger) -> Live:
    return live_module.rerun(real_ledger, lambda label, done, total: None)


@pytest.fixture(scope="module")
def address(real_ledger: Ledger, live: Live) -> Iterator[str]:
    """The explorer, served on a free port of this machine by the server that users run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(make_app(real_ledger, live), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


def _ask(
    address: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(address + path, data=body, headers=headers or {})
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, reply.read(), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def _score(address: str, features: dict[str, Any]) -> tuple[int, Any]:
    status, body, _ = _ask(address, "/api/score", json.dumps({"features": features}).encode())
    return status, json.loads(body)


def test_the_page_and_the_ledger_are_served(address: str, real_ledger: Ledger) -> None:
    status, body, headers = _ask(address, "/")
    assert status == 200
    assert b"Synthetic society" in body
    assert headers["x-content-type-options"] == "nosniff"
    status, body, _ = _ask(address, "/api/ledger")
    assert json.loads(body) == json.loads(real_ledger.to_json())


def test_live_scores_equal_those_of_the_ledger(live: Live, real_ledger: Ledger) -> None:
    assert live.departs == ()
    start = {s.feature: s.positions[s.start] for s in live.person.sliders}
    for answer in live.score(start):
        person = real_ledger.design(answer["design"]).person
        assert answer["threshold"] == person["threshold"]
        assert answer["approved"] == (answer["score"] >= answer["threshold"])
        total = answer["base"] + sum(part["points"] for part in answer["parts"])
        assert answer["score"] == min(max(total, 350), 950) + answer["rule"]


def test_a_setting_that_is_forgotten_would_show(real_ledger: Ledger, plain_only: None) -> None:
    harsher = frontier.measure(
        make_society(people=300, seed=3),
        with_settings([kind() for kind in PLAIN], ["bureau.approve=0.4"]),
        Scorecard(),
        seed=3,
        command="",
        capabilities=[],
    )
    assert harsher.design("bureau").person["threshold"] != real_ledger.design("bureau").person["threshold"]
    forgotten = replace(harsher.design("bureau"), parameters=real_ledger.design("bureau").parameters)
    mixed = replace(harsher, designs=tuple(forgotten if d.design == "bureau" else d for d in harsher.designs))
    assert live_module.rerun(mixed, lambda *_: None).departs == ("bureau",)


def test_a_design_that_departs_from_the_ledger_is_named(plain_only: None, real_ledger: Ledger) -> None:
    changed = replace(real_ledger.designs[0], person={**real_ledger.designs[0].person, "scores": "AAAA"})
    other = replace(real_ledger, designs=(changed, *real_ledger.designs[1:]))
    assert live_module.rerun(other, lambda *_: None).departs == (changed.design,)


def test_scores_over_http_follow_the_values(address: str, live: Live) -> None:
    status, low = _score(address, {"arrears_months": 0})
    assert status == 200
    status, high = _score(address, {"arrears_months": 24})
    assert [a["design"] for a in low] == [kind.name for kind in PLAIN]
    assert low == live.score({"arrears_months": 0.0})
    assert high == live.score({"arrears_months": 24.0})


@pytest.mark.parametrize(
    "features",
    [
        {"nonsense": 1},
        {"income": "much"},
        {"income": 1e300},
        {"income": -1},
        {"income": None},
        {"income": True},
        {"income": [1]},
    ],
    ids=str,
)
def test_wrong_values_are_refused_beside_a_right_one(address: str, features: dict[str, Any]) -> None:
    status, answer = _score(address, features)
    assert status in (400, 422)
    assert "detail" in answer
    assert _score(address, {"income": 1500})[0] == 200


def test_wrong_bodies_and_hosts_are_refused(address: str) -> None:
    for body in (b"", b"{", b"[]", b'{"features": {"income": NaN}}', b'{"features": {}, "more": 1}', b"\xff"):
        assert _ask(address, "/api/score", body)[0] in (400, 422)
    assert _ask(address, "/api/score", b" " * (MAX_BODY + 1))[0] == 413
    assert _ask(address, "/", headers={"Host": "elsewhere.example"})[0] == 400
    assert _ask(address, "/nowhere")[0] == 404


def test_without_live_there_is_nothing_to_ask(real_ledger: Ledger) -> None:
    paths = make_app(real_ledger).openapi()["paths"]
    assert set(paths) == {"/", "/api/ledger"}


def test_live_refuses_ledgers_whose_people_it_cannot_make(plain_only: None, real_ledger: Ledger) -> None:
    for meta, said in (
        ({"synthetic": False}, "real people"),
        ({"seed": None}, "lacks people or seed"),
        ({"fingerprint": "0" * 64}, "other people"),
    ):
        changed = replace(real_ledger, meta={**real_ledger.meta, **meta})
        with pytest.raises(DataError, match=said):
            live_module.rerun(changed, lambda *_: None)
    assert live_module.rerun(real_ledger, lambda *_: None).departs == ()


def test_values_that_are_not_finite_are_refused(live: Live) -> None:
    for value in (math.nan, math.inf):
        with pytest.raises(DataError, match="finite"):
            live.score({"income": value})
    assert live.score({"income": np.float64(1500.0)})


def test_the_interface_keeps_its_own_description(real_ledger: Ledger, live: Live) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="the interface test needs schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings

    app = make_app(real_ledger, live)
    local = {"Host": "localhost"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=local)
    few = settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    seen: list[int] = []

    def check(case: Any) -> None:
        reply = case.call(headers=local)
        seen.append(reply.status_code)
        case.validate_response(reply)

    for operation in schema.get_all_operations():
        few(given(case=operation.ok().as_strategy())(check))()
    assert 200 in seen
    assert len(seen) > 12


def test_the_command_refuses_what_it_cannot_serve(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "ledger.json"
    assert run("explore", source).refused()
    source.write_text(make_ledger().to_json())
    for port in (0, 70_000, "home"):
        assert run("explore", source, "--port", port).refused()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = run("explore", source, "--port", taken.getsockname()[1])
    assert answer.refused()
    assert "--port" in answer.err


def test_scoring_anew_in_the_browser_shows_the_kernels_answer(address: str, live: Live) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        page.locator("details").evaluate_all("all => all.forEach(d => { d.open = true })")
        arrears = live.features.index("arrears_months")
        page.locator(f"#live-{arrears}").fill("20")
        page.get_by_role("button", name="Score anew").click()
        page.locator("#live-said", has_text="Scored anew").wait_for()
        values = {name: float(page.locator(f"#live-{k}").input_value()) for k, name in enumerate(live.features)}
        for answer in live.score(values):
            line = page.locator(f"#person-table tr[data-design='{answer['design']}']")
            assert line.locator("[data-part=score]").inner_text() == str(answer["score"])
            word = "approved" if answer["approved"] else "refused"
            assert line.locator("[data-part=decision]").inner_text().startswith(word)
        browser.close()
    assert complaints == []
    assert all(url.startswith(address) for url in requests)
