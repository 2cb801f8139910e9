"""The explorer's HTTP interface: the page, the ledger, and with ``--live`` one person's scores.

Serves this machine alone. A request must name this machine as its host, so that a stranger's page cannot reach in
through a name of its own (DNS rebinding); there is nothing here that a request could change.
"""

from __future__ import annotations

from typing import Annotated, Any

import blindscore
from blindscore.extras import needs
from blindscore.surveillance.ledger import Ledger
from blindscore_app.explorer.live import Live
from blindscore_app.report.html import render_page

with needs("frontier"):
    from fastapi import FastAPI, Request, Response
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import HTMLResponse, JSONResponse
    from pydantic import BaseModel, ConfigDict, Field, create_model
    from starlette.middleware.base import RequestResponseEndpoint
    from starlette.middleware.trustedhost import TrustedHostMiddleware

HOSTS = ["127.0.0.1", "localhost"]
MAX_BODY = 16 * 1024  # bytes; a question holds a handful of numbers
Value = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]  # amounts, counts and months are never negative


class Part(BaseModel):
    """Points of one characteristic."""

    feature: str
    bin: str
    points: int
    lost: int


class Answer(BaseModel):
    """What one design says of the person."""

    design: str
    score: int
    threshold: int
    approved: bool
    base: int
    rule: int = Field(description="points that a rule outside the scorecard added or took")
    parts: list[Part]
    reasons: list[Part]


class Mistake(BaseModel):
    """Why a question was refused."""

    detail: str


def make_app(ledger: Ledger, live: Live | None = None) -> FastAPI:
    """Return the application for one ledger; with ``live``, scores are computed on request."""
    app = FastAPI(
        title="blindscore explorer", version=blindscore.__version__, docs_url=None, redoc_url=None, debug=False
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    page = render_page(ledger, live=live is not None)
    plain = ledger.to_dict()

    @app.middleware("http")
    async def bounded(request: Request, proceed: RequestResponseEndpoint) -> Response:
        length = request.headers.get("content-length", "0")
        if "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > MAX_BODY:
            return JSONResponse({"detail": f"a request may hold at most {MAX_BODY} bytes"}, status_code=413)
        answer = await proceed(request)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return answer

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: Exception) -> JSONResponse:
        # The library's own answer repeats what was sent, and fails where that is no number of JSON.
        faults = error.errors() if isinstance(error, RequestValidationError) else []
        where = [{"loc": fault["loc"], "msg": fault["msg"], "type": fault["type"]} for fault in faults]
        return JSONResponse({"detail": where}, status_code=422)

    @app.get("/", response_class=HTMLResponse)
    def read_page() -> str:
        """Return the report page."""
        return page

    @app.get("/api/ledger")
    def read_ledger() -> dict[str, Any]:
        """Return the ledger."""
        return plain

    if live is not None:
        _add_live(app, live)
    return app


def _add_live(app: FastAPI, live: Live) -> None:
    strict = ConfigDict(extra="forbid", strict=True)
    offered: dict[str, Any] = {name: (Value, Field(default=0.0)) for name in live.features}
    features = create_model("Features", __config__=strict, __doc__="Features of the person to change.", **offered)
    question = create_model("Question", __config__=strict, __doc__="What to change.", features=(features, ...))

    def score(asked: BaseModel) -> list[Answer]:
        """Score the person anew under every design; a feature that is left out stays as it is."""
        values = asked.model_dump(exclude_unset=True)["features"]
        return [Answer.model_validate(answer) for answer in live.score(values)]

    score.__annotations__["asked"] = question  # the model is made here, from the features that this ledger offers
    app.post("/api/score", responses={413: {"model": Mistake}})(score)
