"""docs/threats.md names a test for each message of sealed and one-show, and the test is there."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "threats.md"
FILES = {
    "W": "test_malicious_sealed_wallet.py",
    "L": "test_malicious_sealed_lender.py",
    "S": "test_malicious_sealed_source.py",
    "P": "test_malicious_sealed_perks.py",
    "G": "test_sealed_log.py",
}


def section(name: str) -> list[list[str]]:
    """The rows of one heading's table, cells as they stand."""
    text = PAGE.read_text().split(f"## {name}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


def test_every_row_names_tests_that_exist():
    named = 0
    for row in (*section("Sealed"), *section("One-show")):
        assert len(row) == 5, row
        assert all(row), row
        for letter, names in re.findall(r"\b([WLSPG]) ((?:`[a-z_]+`(?:, )?)+)", row[4]):
            source = (HERE / FILES[letter]).read_text()
            for name in re.findall(r"`([a-z_]+)`", names):
                assert re.search(rf"def test_\w*{name}", source), f"{row[0]}: {FILES[letter]} has no test of {name}"
                named += 1
        for file in re.findall(r"`(test_\w+\.py)`", row[4] + row[3]):
            assert (HERE / file).exists(), file
    assert named >= 25


def test_every_message_of_the_protocol_has_a_row():
    told = " ".join(row[0] for row in (*section("Sealed"), *section("One-show")))
    for kind in (
        "found",
        "request",
        "issued",
        "openings",
        "challenges",
        "closings",
        "ask",
        "offer",
        "commit",
        "receipt",
    ):
        assert kind in told, kind
    for kind in ("answer", "decision", "token", "redeem", "entry", "extension", "papers"):
        assert kind in told, kind
