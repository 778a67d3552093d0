"""The pages for people: values in, HTML out.

`docs_page` and `redoc_page` are frames for the vendored Swagger UI and ReDoc. Links are relative
to the page, so that it works under every prefix. `names` are the assets' names from `static`.
"""

from collections.abc import Mapping

from modelserver.markup import Html, filled, template


def docs_page(title: str, names: Mapping[str, str]) -> Html:
    """Swagger UI."""
    return filled(template("docs.html"), title=title, **_links(names))


def redoc_page(title: str, names: Mapping[str, str]) -> Html:
    """ReDoc."""
    return filled(template("redoc.html"), title=title, **_links(names))


def _links(names: Mapping[str, str]) -> dict[str, str]:
    """The assets' links, by their files' names as identifiers."""
    return {
        name.replace(".", "_").replace("-", "_"): f"assets/{served}"
        for name, served in names.items()
    }
