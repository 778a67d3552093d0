"""The pages for people: values in, HTML out.

`landing_page` shows the state of the model; `docs_page` and `redoc_page` load the vendored Swagger
UI and ReDoc. Links are relative, so that the pages work under every prefix. `names` maps the name
of each asset to the name under which it is served.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from modelserver.describing.questionnaire import Questionnaire
from modelserver.describing.snippets import SERVER
from modelserver.pages.landing import Landing
from modelserver.pages.markup import Html, filled, joined, template
from modelserver.pages.sections import choices_html, fields_html, samples_html, signature_html
from modelserver.states import StateName

REFRESH: Final[Mapping[StateName, int]] = {"unconfigured": 30, "loading": 5, "failed": 15}
"""The seconds after which a browser without scripts reloads the page."""

KEYS: Final = {
    "": "",
    "CONNECT_API_KEY": Html(
        "<p>Unless this content is open to everyone, calls need an API key of Posit Connect: "
        "<code>Authorization: Key &lt;api key&gt;</code>.</p>\n"
    ),
    "API_KEY": Html(
        "<p>Calls need this server's key: <code>Authorization: Key &lt;api key&gt;</code>.</p>\n"
    ),
}
"""What is said of the caller's key, by the variable in which the calls to copy expect it."""

STATES: Final = {
    False: Html('<p class="state ready">Ready</p>'),
    True: Html('<p class="state warned">Ready, with a warning</p>'),
}
"""The state of a ready model, by whether there are warnings."""

WARNING: Final = '<p class="warning"><strong>Warning:</strong> $text.</p>\n'

MADE_UP: Final = Html(
    '<p class="hint made-up">The values are made up from the signature; a model that was logged '
    "with an <code>input_example</code> that it predicts shows that.</p>\n"
)


KEEP: Final = Html(
    '<label class="check"><input type="checkbox" id="keep" aria-describedby="keep-hint"> '
    "Keep the file's columns beside the predictions</label>\n"
    '<p class="hint" id="keep-hint">Also an id or other columns that the model does not take.</p>\n'
)
"""The choice for a file whose columns may stand in the answer."""


def docs_page(title: str, names: Mapping[str, str]) -> Html:
    """The page of Swagger UI."""
    return filled(template("docs.html"), title=title, **_links(names))


def redoc_page(title: str, names: Mapping[str, str]) -> Html:
    """The page of ReDoc."""
    return filled(template("redoc.html"), title=title, server=SERVER, **_links(names))


def landing_page(landing: Landing, names: Mapping[str, str]) -> Html:
    """The first page, for the model's state."""
    seconds = REFRESH.get(landing.state)
    refresh = f'<noscript><meta http-equiv="refresh" content="{seconds}"></noscript>\n'
    return filled(
        template("page.html"),
        title=landing.title,
        refresh=Html(refresh if seconds else ""),
        state=landing.state,
        reason=landing.reason,
        main=MAINS[landing.state](landing),
        **_links(names),
    )


def _links(names: Mapping[str, str]) -> dict[str, str]:
    """The links to the assets. Their keys are the files' names as identifiers: `page_css`."""
    return {re.sub(r"\W", "_", own_name): f"assets/{served}" for own_name, served in names.items()}


def _ready(landing: Landing) -> Html:
    asked = landing.questionnaire
    return filled(
        template("ready.html"),
        title=landing.title,
        state=STATES[bool(landing.warnings)],
        warnings=joined(filled(WARNING, text=text) for text in landing.warnings),
        made_up=MADE_UP if asked.made_up else "",
        description=_paragraphs(landing.description),
        facts=joined(
            filled("<div><dt>$name</dt><dd>$value</dd></div>", name=name, value=value)
            for name, value in landing.facts
        ),
        choices=choices_html(asked),
        sends=asked.sends,
        fields=fields_html(asked),
        upload=_upload(asked),
        key=KEYS[landing.key_variable],
        samples=samples_html(landing.calls, landing.base_url),
        signature=signature_html(asked),
    )


def _upload(asked: Questionnaire) -> Html:
    """The form for a file; empty if the model takes none."""
    keep = KEEP if asked.takes_include else ""
    return filled(template("upload.html"), keep=keep) if asked.takes_csv else Html()


def _unconfigured(landing: Landing) -> Html:
    steps = template("on_connect.html" if landing.on_connect else "elsewhere.html")
    misnamed = filled("<p><strong>$text</strong></p>\n", text=landing.misnamed)
    shown = misnamed if landing.misnamed else Html()
    return filled(template("unconfigured.html"), misnamed=shown, steps=filled(steps))


def _loading(landing: Landing) -> Html:
    texts = {"title": landing.title, "since": landing.since, "step": landing.step or "starting"}
    return filled(template("loading.html"), **texts)


def _failed(landing: Landing) -> Html:
    tried = filled(template("next_try.html"), moment=landing.next_try)
    return filled(
        template("failed.html"),
        title=landing.title,
        reason_html=_paragraphs(landing.reason),
        next_try=tried if landing.next_try else Html(),
        hint=TRIED_AGAIN if landing.next_try else NOT_TRIED_AGAIN,
    )


TRIED_AGAIN: Final = (
    "The server tries again by itself, and this page follows. The server's log says more."
)

NOT_TRIED_AGAIN: Final = "Once the server was started again, this page follows."


def _paragraphs(text: str) -> Html:
    """Plain text as paragraphs, which empty lines separate."""
    parts = re.split(r"\n\s*\n", text.strip())
    return joined(filled("<p>$part</p>\n", part=part) for part in parts if part)


MAINS: Final[Mapping[StateName, Callable[[Landing], Html]]] = {
    "unconfigured": _unconfigured,
    "loading": _loading,
    "ready": _ready,
    "failed": _failed,
}
