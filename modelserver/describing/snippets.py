"""The example as calls to copy: curl, Python, R and PowerShell.

In: a JSON body. Out: code per language that prints the prediction, in the shape of ReDoc's
`x-codeSamples` extension. The server's address is written `https://YOUR-SERVER`, which the pages
replace by their own; on Posit Connect the calls carry the caller's API key, as Connect documents
it (`Authorization: Key …`).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pprint import pformat
from string import Template
from typing import Any, Final, TypeAlias

from modelserver.answering.encoding import encode_json
from modelserver.reading.signatures.signature import LLM_KEYS

SERVER: Final = "https://YOUR-SERVER"
"""Stands for the base URL of the server, without a slash at its end."""

DIGITS_IN_R: Final = 15
"""Significant digits of a number that R's jsonlite writes at most."""

DATA_FRAME_ARGUMENTS: Final = frozenset(
    {"", "row.names", "check.rows", "check.names", "fix.empty.names", "stringsAsFactors"}
)
"""Names that R's data.frame cannot take for a column."""

POWERSHELL_QUOTES: Final = re.compile("['\u2018-\u201b]")
"""Each ends a text in single quotes, unless it is doubled."""

Body: TypeAlias = Mapping[str, Any]


def snippets(body: Body, with_key: bool) -> list[dict[str, str]]:
    """One call per language."""
    made = []
    for lang, label, template, key, values in LANGUAGES:
        source = template.safe_substitute(
            url=f"{SERVER}/invocations", **values(body), **{k: v * with_key for k, v in key.items()}
        )
        made.append({"lang": lang, "label": label, "source": source})
    return made


def _json(body: Body) -> str:
    return encode_json(dict(body)).decode()


def _curl_values(body: Body) -> dict[str, str]:
    return {"body": _json(body).replace("'", r"'\''")}


def _python_values(body: Body) -> dict[str, str]:
    wrapped = not any(key in body for key in LLM_KEYS)
    text = pformat(dict(body), width=80, sort_dicts=False).replace("\n", "\n       ")
    return {"body": text, "of_answer": '["predictions"]' if wrapped else ""}


def _r_values(body: Body) -> dict[str, str]:
    if frame := _r_frame(body):
        sent = f"req_body_json(list(dataframe_records = rows), {R_OPTIONS})"
        return {"made": f"rows <- {frame}", "sent": sent}
    text = json.dumps(_json(body), ensure_ascii=False)
    return {"made": f"body <- {text}", "sent": 'req_body_raw(body, type = "application/json")'}


def _powershell_values(body: Body) -> dict[str, str]:
    return {"body": POWERSHELL_QUOTES.sub(r"\g<0>\g<0>", _json(body))}


def _r_frame(body: Body) -> str | None:
    """The rows as a data.frame, where they are a table of plain values and nothing else is sent."""
    rows = body.get("dataframe_records")
    if len(body) != 1 or not rows or any(row.keys() != rows[0].keys() for row in rows):
        return None
    if rows[0].keys() & DATA_FRAME_ARGUMENTS:
        return None
    if not all(_is_plain(cell) for row in rows for cell in row.values()):
        return None
    columns = [f"  {_r_name(name)} = {_r_column([row[name] for row in rows])}" for name in rows[0]]
    return "data.frame(\n" + ",\n".join([*columns, "  check.names = FALSE"]) + "\n)"


def _is_plain(cell: Any) -> bool:
    if isinstance(cell, (int, float)):
        return float(f"{cell:.{DIGITS_IN_R}g}") == cell
    return cell is None or isinstance(cell, str)


def _r_name(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _r_column(cells: Sequence[Any]) -> str:
    values = [_r_value(cell) for cell in cells]
    return values[0] if len(values) == 1 else f"c({', '.join(values)})"


def _r_value(cell: Any) -> str:
    if cell is None:
        return "NA"
    if isinstance(cell, bool):
        return str(cell).upper()
    return json.dumps(cell, ensure_ascii=False)


CURL: Final = Template("curl $url \\\n  -H 'Content-Type: application/json' \\\n$key  -d '$body'")
CURL_KEY: Final = {"key": '  -H "Authorization: Key $CONNECT_API_KEY" \\\n'}

PYTHON: Final = Template(
    """${imports}import requests

${key}body = $body
answer = requests.post("$url", json=body$argument)
if not answer.ok:
    raise SystemExit(answer.text)
print(answer.json()$of_answer)"""
)
PYTHON_KEY: Final = {
    "imports": "import os\n\n",
    "key": 'headers = {"Authorization": "Key " + os.environ["CONNECT_API_KEY"]}\n',
    "argument": ", headers=headers",
}

R_OPTIONS: Final = 'digits = NA, na = "null", POSIXt = "ISO8601", UTC = TRUE'
"""As many digits as jsonlite has, gaps as null, and times in UTC: by default they are those of the
caller's zone, which is not told."""

R: Final = Template(
    """library(httr2)

$made
request("$url") |>
$key  $sent |>
  req_error(body = \\(answer) resp_body_json(answer)$$message) |>
  req_perform() |>
  resp_body_json(simplifyVector = TRUE)"""
)
R_KEY: Final = {
    "key": '  req_headers(Authorization = paste("Key", Sys.getenv("CONNECT_API_KEY"))) |>\n'
}

POWERSHELL: Final = Template(
    """$$body = '$body'
$$request = @{
  Uri = "$url"
  Method = "Post"
  ContentType = "application/json; charset=utf-8"
  Body = [Text.Encoding]::UTF8.GetBytes($$body)
$key}
Invoke-RestMethod @request | ConvertTo-Json -Depth 9"""
)
POWERSHELL_KEY: Final = {"key": '  Headers = @{ Authorization = "Key $env:CONNECT_API_KEY" }\n'}

LANGUAGES: Final[
    Sequence[tuple[str, str, Template, Mapping[str, str], Callable[[Body], dict[str, str]]]]
] = (
    ("Shell", "curl", CURL, CURL_KEY, _curl_values),
    ("Python", "Python", PYTHON, PYTHON_KEY, _python_values),
    ("R", "R", R, R_KEY, _r_values),
    ("PowerShell", "PowerShell", POWERSHELL, POWERSHELL_KEY, _powershell_values),
)
