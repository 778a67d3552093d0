"""The example as calls to copy: curl, Python, R and PowerShell.

In: a JSON body. Out: for each language code that prints the prediction, in the format of ReDoc's
`x-codeSamples` extension. The URL is `https://YOUR-SERVER`; the pages replace it by their own. On
Posit Connect the calls send the caller's API key as Connect documents it (`Authorization: Key …`).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pprint import pformat
from string import Template
from typing import Any, Final

from modelserver.answering.encoding import encode_json
from modelserver.describing.forms import Body
from modelserver.reading.signatures.signature import LLM_KEYS

SERVER: Final = "https://YOUR-SERVER"
"""A placeholder for the base URL of the server, without a slash at its end."""

DIGITS_IN_R: Final = 15
"""The most significant digits of a number that R's jsonlite writes."""

DATA_FRAME_ARGUMENTS: Final = frozenset(
    {"", "row.names", "check.rows", "check.names", "fix.empty.names", "stringsAsFactors"}
)
"""Names that a column of R's `data.frame` cannot have, since they are arguments of the function."""

POWERSHELL_QUOTES: Final = re.compile("['\u2018-\u201b]")
"""Characters that end a text in single quotes in PowerShell, unless they are doubled."""


def snippets(body: Body, key_variable: str) -> list[dict[str, str]]:
    """A call in each language. `key_variable`: the environment variable from which it takes the
    caller's key; empty if it sends none."""
    made = []
    for lang, label, template, key, values in LANGUAGES:
        source = template.safe_substitute(
            url=f"{SERVER}/invocations", **values(body), **_with_key(key, key_variable)
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


def _with_key(texts: Mapping[str, str], variable: str) -> dict[str, str]:
    return {
        name: text.replace("CONNECT_API_KEY", variable) if variable else ""
        for name, text in texts.items()
    }


def _powershell_values(body: Body) -> dict[str, str]:
    return {"body": POWERSHELL_QUOTES.sub(r"\g<0>\g<0>", _json(body))}


def _r_frame(body: Body) -> str | None:
    """R code that makes a data.frame of the rows. None if the body holds more than a table of plain
    values."""
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
"""All digits that jsonlite can write, missing values as null, and times in UTC: by default jsonlite
writes times in the caller's time zone without naming it."""

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
