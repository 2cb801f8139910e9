"""The page's HTTP interface. Serves this machine alone.

Who may ask: a request must name this machine as its host (so that a stranger's page cannot reach in through a name of
its own) and carry the page's token (so that it cannot press buttons here). The token lies in the page and nowhere else.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from importlib.resources import files
from typing import Annotated, Any

import blindscore
from blindscore.errors import BlindscoreError
from blindscore.extras import needs
from blindscore_app.town.show.house import House

with needs("frontier"):
    from fastapi import Body, FastAPI, Request, Response
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.middleware.base import RequestResponseEndpoint
    from starlette.middleware.trustedhost import TrustedHostMiddleware

HOSTS = ["127.0.0.1", "localhost"]
MAX_BODY = 4 * 1024  # bytes; a question holds a few words and numbers
TOKEN = "x-blindscore-token"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Person = Annotated[int, Body(ge=0, le=10_000, strict=True)]
Words = Annotated[str, Body(max_length=80, strict=True)]


def make_app(house: House, token: str) -> FastAPI:
    """Return the application around a house; ``token`` is what the page shows to be let in."""
    app = FastAPI(
        title="blindscore town", version=blindscore.__version__, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)

    @app.middleware("http")
    async def guarded(request: Request, proceed: RequestResponseEndpoint) -> Response:
        answer = _refused(request, token) or await proceed(request)
        answer.headers.update(HEADERS)
        return answer

    @app.exception_handler(BlindscoreError)
    def mistaken(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": " ".join(str(error).split())}, status_code=400)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: Exception) -> JSONResponse:
        # Names the first fault and its place; what was sent is not repeated.
        fault = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": "malformed"}
        where = ".".join(str(part) for part in fault["loc"])
        return JSONResponse({"detail": f"{where}: {fault['msg']}"}, status_code=422)

    page = _text("page.html").replace("{{token}}", token)
    for path, text, media in (
        ("/", page, "text/html"),
        ("/page.css", _text("page.css"), "text/css"),
        ("/page.js", _text("page.js"), "text/javascript"),
    ):
        app.get(path)(_fixed(text, media))
    _add_actions(app, house)
    return app


def _refused(request: Request, token: str) -> Response | None:
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > MAX_BODY:
        return JSONResponse({"detail": f"a request may hold at most {MAX_BODY} bytes"}, status_code=413)
    shown = request.headers.get(TOKEN, "").encode()
    if request.url.path.startswith("/api/") and not hmac.compare_digest(shown, token.encode()):
        return JSONResponse({"detail": "this is not the page that was opened here; reload it"}, status_code=403)
    return None


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _fixed(text: str, media: str) -> Callable[[], Response]:
    return lambda: Response(text, media_type=media)


def _add_actions(app: FastAPI, house: House) -> None:
    @app.get("/api/state")
    def state(person: int = 0) -> dict[str, Any]:
        """Return what the windows show when this person sits at the wallet."""
        stage = house.stage
        about = {"designs": house.designs, "design": house.design, "people": stage.people, "parties": stage.parties}
        return {**about, **stage.shown(person)}

    @app.post("/api/design")
    def choose(design: Annotated[str, Body(max_length=80, strict=True, embed=True)]) -> dict[str, str]:
        """Put another design on stage."""
        house.choose(design)
        return {"design": house.design}

    @app.post("/api/fetch")
    def fetch(person: Annotated[int, Body(ge=0, le=10_000, strict=True, embed=True)]) -> dict[str, Any]:
        """Have the sources sign."""
        house.stage.fetch(person)
        return house.stage.shown(person)

    @app.post("/api/apply")
    def apply(person: Annotated[int, Body(ge=0, le=10_000, strict=True, embed=True)]) -> dict[str, Any]:
        """Apply, and wait for the answer."""
        house.stage.apply(person)
        return house.stage.shown(person)

    @app.post("/api/what-if")
    def what_if(person: Person, feature: Words, bin: Annotated[int, Body(ge=0, le=255, strict=True)]) -> dict[str, int]:
        """Return the score if one figure were another."""
        return {"score": house.stage.what_if(person, feature, bin)}

    @app.post("/api/order")
    def order(on: Words, person: Annotated[int | None, Body(ge=0, le=10_000)] = None) -> dict[str, Any]:
        """Serve an order."""
        return house.stage.order(on, person)
