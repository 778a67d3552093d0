"""What a page of another site can make a user's browser do: nothing that reaches the model."""

import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from tests.support.processes import answering

Open = Callable[..., TestClient]

PAGE = """
<form id="form" action="{url}invocations" method="post" enctype="text/plain" target="frame">
<input name='{{"inputs": [1], "params": {{"x":"' value='"}}}}'></form>
<iframe name="frame"></iframe>
<script>
const body = '{{"inputs": [1]}}';
const tried = [undefined, "text/plain", "application/x-www-form-urlencoded", "application/json"];
const bodies = tried.map((type) => new Blob([body], {{ type: type || "" }}));
async function attack() {{
  for (const mode of ["no-cors", "cors"])
    for (const sent of [body, ...bodies])
      await fetch("{url}invocations", {{ method: "POST", mode, body: sent }})
        .then((answer) => answer.text())
        .then((text) => {{ if (text) document.title = "read"; }})
        .catch(() => null);
  bodies.forEach((sent) => navigator.sendBeacon("{url}invocations", sent));
  for (const path of ["health", "metadata", "openapi.json"])
    await fetch("{url}" + path).then(() => {{ document.title = "read"; }}).catch(() => null);
  document.getElementById("form").submit();
}}
</script>
"""


def test_a_page_of_another_site(
    base: Callable[..., str], browser: Browser, log: io.StringIO
) -> None:
    with answering(200, PAGE.format(url=base("one_long")), "text/html") as other:
        page = browser.new_page()
        page.goto(other)
        with page.expect_response(lambda answer: answer.frame.name == "frame") as answered:
            page.evaluate("attack()")
        status, title = answered.value.status, page.title()
        page.context.close()  # the other site would wait for its connections
    assert (status, title) == (415, "")
    lines = [line for line in log.getvalue().splitlines() if "/invocations" in line]
    assert len(lines) > 10
    assert [line for line in lines if " POST /invocations 415 " not in line] == [
        line for line in lines if " OPTIONS /invocations 405 " in line
    ]


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://testserver"])
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 415),
        ("text/plain", 415),
        ("text/plain; charset=UTF-8; application/json", 415),
        ("Text/Plain;" + "x" * 300, 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json", 200),
    ],
)
def test_only_a_named_format_is_read_from_web_pages(
    origin: str, content_type: str | None, status: int, client: Open
) -> None:
    headers = {"Origin": origin} | ({"Content-Type": content_type} if content_type else {})
    answer = client("one_long").post("/invocations", content=b'{"inputs": [1]}', headers=headers)
    assert answer.status_code == status
    assert status == 200 or answer.headers["accept-post"].startswith("application/json")
    assert client("one_long").post("/invocations", content=b'{"inputs": [1]}').status_code == 200


@pytest.mark.parametrize(
    ("path", "cached"),
    [
        ("/", "no-cache"),
        ("/docs", "no-cache"),
        ("/redoc", "no-cache"),
        ("/health", "no-cache"),
        ("/metadata", "no-cache"),
        ("/openapi.json", "no-cache"),
        ("/openapi.yaml", "no-cache"),
        ("/ping", None),
        ("/version", None),
        ("/nowhere", None),
    ],
)
def test_headers_for_browsers(path: str, cached: str | None, client: Open) -> None:
    answer = client("one_long").get(path, headers={"Origin": "https://evil.example"})
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers.get("cache-control") == cached
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "set-cookie" not in answer.headers
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    refused = client("one_long").options(path, headers=asked)
    assert refused.status_code in (404, 405)
    assert not [name for name in refused.headers if name.startswith("access-control-")]
