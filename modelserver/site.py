"""The endpoints of the pages for people, and of the files that they load.

All links and redirects are relative, since only a proxy knows the URL in front of it. The
Content-Security-Policy of each page names what it loads, all of it from the same origin; other
sites may frame the pages, as Posit Connect's dashboard does.
"""

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from modelserver.pages import docs_page, redoc_page
from modelserver.service import Service, service_of
from modelserver.static import load_assets

STRICT: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)

REDOC: Final = (
    STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") + "; worker-src blob:"
)
"""ReDoc makes style elements, and a worker from a blob for its search."""

SAFE: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


async def docs(request: Request) -> Response:
    """Swagger UI."""
    page = docs_page(_title(service_of(request)), load_assets().names)
    return _html(page, STRICT)


async def redoc(request: Request) -> Response:
    """ReDoc."""
    page = redoc_page(_title(service_of(request)), load_assets().names)
    return _html(page, REDOC)


async def asset(request: Request) -> Response:
    """A file that a page loads, under its versioned name."""
    found = load_assets().by_name.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return found.response(request)


async def without_slash(request: Request) -> Response:
    """`docs/` is `docs`: relative links would lead elsewhere from there."""
    return RedirectResponse(f"../{request.url.path.rstrip('/').rpartition('/')[2]}")


def document(service: Service) -> dict[str, Any] | None:
    """The OpenAPI document of the model; None until it is ready."""
    description: Any = getattr(service.lifecycle, "description", None)
    return description.document if description else None


def _title(service: Service) -> str:
    known = document(service)
    return str(known["info"]["title"]) if known else "Model"


def _html(page: str, policy: str, status: int = 200, **headers: str) -> Response:
    always = {"Content-Security-Policy": policy, "Cache-Control": "no-cache", **SAFE}
    return HTMLResponse(page, status, {**always, **headers})


ROUTES: Final = [
    Route("/docs", docs),
    Route("/redoc", redoc),
    Route("/docs/", without_slash),
    Route("/redoc/", without_slash),
    Route("/assets/{name}", asset),
]
