"""The pages as text."""

import re
from typing import Any

from modelserver.describing.description import base_description
from modelserver.describing.snippets import SERVER
from modelserver.pages.fields import Field, Form
from modelserver.pages.html import docs_page, landing_page
from modelserver.pages.landing import Landing
from modelserver.pages.sections import fields_html, samples_html, signature_html
from modelserver.pages.static import load_assets

NAMES = load_assets().names
NASTY = "</script><img src=x onerror=alert(1)> \"quoted\" 'it' &amp; ${x} $title"


def landing(**other: Any) -> Landing:
    values: dict[str, Any] = {
        "state": "ready",
        "title": "wine",
        "version": "1",
        "description": "",
        "reason": "",
        "warnings": (),
        "made_up": False,
        "step": "",
        "since": "2026-01-01T00:00:00+00:00",
        "next_try": "",
        "facts": [("Version", "1")],
        "base_url": "http://server",
        "on_connect": False,
        "document": base_description().document,
    }
    return Landing(**values | other)


def test_nothing_is_left_to_fill_in() -> None:
    for state in ("ready", "loading", "failed", "unconfigured"):
        page = landing_page(landing(state=state), NAMES)
        assert re.findall(r"\$\w+", page.replace("$env:MODEL_URI", "")) == []
        assert page.count("<h1>") == 1


def test_every_text_is_escaped() -> None:
    texts = {"title": NASTY, "description": NASTY, "reason": NASTY, "facts": [(NASTY, NASTY)]}
    texts["warnings"] = [NASTY]
    for state in ("ready", "loading", "failed", "unconfigured"):
        page = landing_page(landing(state=state, **texts), NAMES)
        assert "<img" not in page
        assert "onerror=alert(1)&gt; &quot;quoted&quot;" in page
    assert "<img" not in docs_page(NASTY, NAMES)


def test_no_script_or_style_stands_in_a_page() -> None:
    for state in ("ready", "loading", "failed", "unconfigured"):
        page = landing_page(landing(state=state), NAMES)
        assert re.findall(r"<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=", page) == []


def test_warnings_stand_where_the_state_does() -> None:
    page = landing_page(landing(warnings=["one", "two"], made_up=True), NAMES)
    assert page.index("Ready, with a warning") < page.index("</strong> one.</p>")
    assert page.index("</strong> two.</p>") < page.index("The values are made up")
    assert "warning" not in landing_page(landing(), NAMES)


def test_paragraphs_of_the_description() -> None:
    page = landing_page(landing(description="One\nline.\n\n\nTwo.\n"), NAMES)
    assert '<div class="description"><p>One\nline.</p>\n<p>Two.</p>\n</div>' in page


def test_a_model_without_a_document_of_its_own() -> None:
    page = landing_page(landing(), NAMES)
    assert "There is no call to copy" in page
    assert "logged without a signature" in page
    assert 'data-kind="body"' in page


def test_samples_hold_the_url() -> None:
    samples = [{"lang": "Shell", "label": "curl", "source": f"curl '{SERVER}/x?<>'"}]
    document = {"paths": {"/invocations": {"post": {"x-codeSamples": samples}}}}
    assert 'curl &#x27;<span class="base">http://s</span>/x?&lt;&gt;&#x27;' in samples_html(
        document, "http://s"
    )


def test_fields() -> None:
    columns = [
        Field("a", "double", example="0.5", description="How much"),
        Field("b", "boolean", required=False),
        Field("c", "string", example="two\nlines"),
        Field("d", "Array(long)", example="[1, 2]"),
    ]
    page = fields_html(Form("records", columns, [Field("p", "long", False, "3")], True))
    assert '<p class="hint" id="column-0-hint">double · How much</p>' in page
    assert '<option value="" selected>(empty)</option><option value="true">true</option>' in page
    assert '<textarea id="column-2"' in page
    assert 'placeholder="3" inputmode="decimal"' in page
    assert page.count("<small>optional</small>") == 1
    assert 'id="param-0-hint">long · default 3</p>' in page


def test_fields_without_names_are_counted() -> None:
    columns = [Field(str(position), "double") for position in range(30)]
    page = fields_html(Form("rows", columns, [], True))
    assert "Column 29</label>" in page
    assert '<div class="fields many">' in page


def test_tables_of_the_signature() -> None:
    row = {"x-mlflow-type": "string", "examples": ["x" * 100], "description": "Which"}
    document = {"components": {"schemas": {"Row": {"properties": {"a": row}}, "Predictions": {}}}}
    table = signature_html(document)
    assert re.findall("<th scope=.col.>(.*?)</th>", table) == [
        "Name", "Type", "Required", "Example", "Meaning",
    ]  # fmt: skip
    assert f"<code>{'x' * 79}…</code>" in table
    assert "<td>optional</td>" in table
