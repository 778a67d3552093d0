"""The pages as text."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

from modelserver.describing.questionnaire import BLANK, Field, Questionnaire
from modelserver.describing.snippets import ENDPOINT, Call
from modelserver.pages.html import NOT_TRIED_AGAIN, TRIED_AGAIN, docs_page, landing_page
from modelserver.pages.landing import Landing
from modelserver.pages.sections import choices_html, fields_html, samples_html, signature_html
from modelserver.pages.static import load_assets
from modelserver.scoring.answering.formats import ANSWER_FORMATS

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
        "step": "",
        "since": "2026-01-01T00:00:00+00:00",
        "next_try": "",
        "facts": [("Version", "1")],
        "base_url": "http://server",
        "on_connect": False,
        "misnamed": "",
        "key_variable": "",
        "questionnaire": BLANK,
        "calls": (),
    }
    return Landing(**values | other)


def test_nothing_is_left_to_fill_in() -> None:
    for state in ("ready", "loading", "failed", "unconfigured"):
        page = landing_page(landing(state=state), NAMES)
        assert re.findall(r"\$\w+", page.replace("$env:MODEL_URI", "")) == []
        assert page.count("<h1>") == 1


def test_whether_a_failure_is_tried_again() -> None:
    page = landing_page(landing(state="failed", next_try="2026-01-01T00:00:01+00:00"), NAMES)
    assert 'datetime="2026-01-01T00:00:01+00:00"' in page
    assert TRIED_AGAIN in unescape(page)
    page = landing_page(landing(state="failed"), NAMES)
    assert "Next try" not in page
    assert NOT_TRIED_AGAIN in page


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
    page = landing_page(
        landing(warnings=["one", "two"], questionnaire=replace(BLANK, made_up=True)), NAMES
    )
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
    assert 'data-sends="body"' in page


def test_samples_hold_the_url_and_all_ends() -> None:
    call = Call("Shell", "curl", f"curl '{ENDPOINT}' -d <>", {"json": "", "csv": ' "$"'})
    html = samples_html([call], "http://s")
    assert (
        'curl &#x27;<span class="base">http://s</span>/invocations<span class="query"></span>&#x27;'
        ' -d &lt;&gt;<span class="end" data-json="" data-csv=" &quot;$&quot;"></span>'
    ) in html


def test_a_choice_has_two_options_or_more() -> None:
    csv = [ANSWER_FORMATS["json"], ANSWER_FORMATS["csv"]]
    shown = choices_html(replace(BLANK, methods=["predict"], formats=csv))
    assert re.findall(r'name="(\w+)"', shown) == ["format"]
    assert '<option value="csv" data-extension="csv">CSV</option>' in shown
    shown = choices_html(replace(BLANK, methods=["predict", "transform"], formats=csv[:1]))
    assert re.findall(r'value="(\w+)"', shown) == ["predict", "transform"]


def test_fields() -> None:
    columns = [
        Field("a", "double", example="0.5"),
        Field("b", "boolean", required=False),
        Field("c", "string", example="two\nlines"),
        Field("d", "Array(long)", example="[1, 2]"),
    ]
    params = [Field("p", "long", False, "3")]
    page = fields_html(Questionnaire("records", columns, True, params=params))
    assert '<p class="hint" id="column-0-hint">double</p>' in page
    assert '<option value="" selected>(empty)</option><option value="true">true</option>' in page
    assert '<textarea id="column-2"' in page
    assert 'placeholder="3" inputmode="decimal"' in page
    assert page.count("<small>optional</small>") == 1
    assert 'id="param-0-hint">long · default 3</p>' in page


def test_fields_without_names_are_counted() -> None:
    columns = [Field(str(position), "double") for position in range(30)]
    page = fields_html(Questionnaire("rows", columns, True))
    assert "Column 29</label>" in page
    assert '<div class="fields many">' in page


def test_params_of_a_whole_body_stand_in_it() -> None:
    params = [Field("p", "long", False, "3")]
    page = fields_html(Questionnaire("body", [Field("Request", "JSON")], False, params=params))
    assert "param-0" not in page


def test_tables_of_the_signature() -> None:
    inputs = [Field("a", "string", False, "x" * 100)]
    table = signature_html(Questionnaire("records", inputs, True, inputs))
    assert re.findall("<th scope=.col.>(.*?)</th>", table) == [
        "Name", "Type", "Required", "Example",
    ]  # fmt: skip
    assert f"<code>{'x' * 79}…</code>" in table
    assert "<td>optional</td>" in table
