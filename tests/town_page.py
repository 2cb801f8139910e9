"""The town's page, served by the server that users run, on a port that the system chooses: for tests in a browser."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import uvicorn

from blindscore_app.town.show.server import make_app

PHONE = 390  # pixels
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


@contextmanager
def served(house, token):
    """Serve the page of a house; give its address."""
    server = uvicorn.Server(uvicorn.Config(make_app(house, token), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    due = time.monotonic() + 30
    while not server.started and time.monotonic() < due:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def fits_and_is_accessible(page, axe):
    """Hold a page to the width of a telephone and to WCAG 2.1 AA."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    found = axe.run(page, options=RULES)
    assert found.response["passes"], "axe ran no rule"
    assert found.response["violations"] == [], found.generate_report()
