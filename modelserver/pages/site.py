"""The endpoints of the pages for people, and of the files that they load.

All links and redirects are relative, since only the proxy in front of the server knows its public
URL. The Content-Security-Policy of each page allows only what the page loads, all of it from the
same origin. Other sites may show the pages in a frame, as Posit Connect's dashboard does.
"""

from typing import Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from modelserver.pages.html import docs_page, landing_page, redoc_page
from modelserver.pages.landing import landing, summary, title
from modelserver.pages.static import load_assets
from modelserver.reading.formats import JSON
from modelserver.scoring.answering.accept import best, qualities
from modelserver.scoring.answering.encoding import encode_json
from modelserver.service import service_of

FIRST_PAGE_WAITS: Final = 30.0
"""How many seconds `/` waits for the model. Posit Connect requests `/` first, and a 5xx answer
means a failed start to it."""

PEOPLE_WAIT: Final = 1.0
"""How many seconds `/` waits if a browser asks, since the page can show that the model loads."""

STRICT: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)

REDOC: Final = (
    STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") + "; worker-src blob:"
)
"""The policy for ReDoc, which inserts style elements and starts a worker from a blob to search."""

HTML: Final = "text/html"

ALWAYS: Final = {"Cache-Control": "no-cache", "Referrer-Policy": "no-referrer"}


async def index(request: Request) -> Response:
    """The landing page for a browser, a summary for programs, in every state of the model."""
    service, accept = service_of(request), request.headers.get("accept")
    is_browser = qualities(accept).get(HTML, 0.0) > 0  # browsers ask for HTML by its name
    await service.lifecycle.settled(PEOPLE_WAIT if is_browser else FIRST_PAGE_WAITS)
    shown = landing(service.lifecycle, _base_url(request, service.settings.on_connect))
    status = 503 if shown.state == "failed" else 200
    if best(accept, (HTML, JSON)) == JSON:
        headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
        return Response(encode_json(summary(shown)), status, headers, media_type=JSON)
    return _html(landing_page(shown, load_assets().names), STRICT, status, Vary="Accept")


async def docs(request: Request) -> Response:
    """The page of Swagger UI."""
    page = docs_page(title(service_of(request).lifecycle), load_assets().names)
    return _html(page, STRICT)


async def redoc(request: Request) -> Response:
    """The page of ReDoc."""
    page = redoc_page(title(service_of(request).lifecycle), load_assets().names)
    return _html(page, REDOC)


def asset(request: Request) -> Response:
    """A file that a page loads, by its versioned name. Raises a 404 for any other name. Starlette
    calls it in a thread, since the first request for a file compresses it."""
    found = load_assets().by_name.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return found.response(request)


async def without_slash(request: Request) -> Response:
    """Redirects `docs/` to `docs`, since the page's relative links would not work under `docs/`."""
    return RedirectResponse(f"../{request.url.path.rstrip('/').rpartition('/')[2]}")


class BarePrefix(BaseRoute):
    """Redirects the prefix under which the app is mounted to the same with a slash at its end.

    A `Route` cannot match it, since the path is empty after the prefix.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match if the path is the prefix."""
        prefix = scope.get("root_path", "")
        is_page = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        is_bare = is_page and prefix and scope["path"] == prefix.rstrip("/")
        return (Match.FULL if is_bare else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the redirect."""
        response = RedirectResponse(quote(scope["path"].rpartition("/")[2], safe="") + "/")
        await response(scope, receive, send)


def _base_url(request: Request, on_connect: bool) -> str:
    """The URL of the page as far as the server knows it. The page's script replaces it by the URL
    in the browser."""
    given = request.headers.get("rstudio-connect-app-base-url") if on_connect else None
    return (given or str(request.base_url)).rstrip("/")


def _html(page: str, policy: str, status: int = 200, **headers: str) -> Response:
    data = page.encode(errors="replace")  # a variable that is no UTF-8 has surrogates
    return HTMLResponse(data, status, {"Content-Security-Policy": policy, **ALWAYS, **headers})


ROUTES: Final = [
    Route("/", index),
    Route("/docs", docs),
    Route("/redoc", redoc),
    Route("/docs/", without_slash),
    Route("/redoc/", without_slash),
    Route("/assets/{name}", asset),
    BarePrefix(),
]
