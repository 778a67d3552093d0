"""The example as calls to copy: curl, Python, R and PowerShell.

In: a JSON body. Out: a `Call` for each language. The URL is `https://YOUR-SERVER`; the pages
replace it by their own. On Posit Connect the calls send the caller's API key as Connect documents
it (`Authorization: Key …`).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pprint import pformat
from string import Template
from typing import Any, Final

from modelserver.describing.forms import Body
from modelserver.reading.signatures.signature import LLM_KEYS
from modelserver.scoring.answering.encoding import encode_json
from modelserver.scoring.answering.formats import ANSWER_FORMATS, JSON_ANSWER

SERVER: Final = "https://YOUR-SERVER"
"""A placeholder for the base URL of the server, without a slash at its end."""

ENDPOINT: Final = f"{SERVER}/invocations"
"""The URL in all calls, to which a query string may be added: it stands in quotes."""

DIGITS_IN_R: Final = 15
"""The most significant digits of a number that R's jsonlite writes."""

DATA_FRAME_ARGUMENTS: Final = frozenset(
    {"", "row.names", "check.rows", "check.names", "fix.empty.names", "stringsAsFactors"}
)
"""Names that a column of R's `data.frame` cannot have, since they are arguments of the function."""

POWERSHELL_QUOTES: Final = re.compile("['\u2018-\u201b]")
"""Characters that end a text in single quotes in PowerShell, unless they are doubled."""


@dataclass(frozen=True, slots=True)
class Language:
    """How calls are written in one language. `lang` is its name for ReDoc, `label` for people."""

    lang: str
    label: str
    key: Mapping[str, str]
    """The parts of the code that send the caller's key."""
    values: Callable[[Body], dict[str, str]]
    """Makes those parts of the code that depend on the body."""
    sends: Template
    prints: Template
    saves: Template


@dataclass(frozen=True, slots=True)
class Call:
    """The example as code of one language: `start` sends it, and one of the ends follows."""

    lang: str
    label: str
    start: str
    ends: Mapping[str, str]
    """For each format of answers, by name: code that prints the answer if it is JSON, and saves it
    to a file if it is a table in another format."""

    @property
    def sample(self) -> dict[str, str]:
        """The call as ReDoc's `x-codeSamples` extension has it: it prints the prediction."""
        source = self.start + self.ends[JSON_ANSWER.name]
        return {"lang": self.lang, "label": self.label, "source": source}


def snippets(body: Body, key_variable: str) -> Sequence[Call]:
    """A call in each language. `key_variable`: the environment variable from which it takes the
    caller's key; empty if it sends none."""
    return [_call(language, body, key_variable) for language in LANGUAGES]


def _call(language: Language, body: Body, key_variable: str) -> Call:
    values = {"url": ENDPOINT, **language.values(body), **_with_key(language.key, key_variable)}
    ends = {
        name: language.saves.substitute(file=f"predictions.{row.extension}")
        for name, row in ANSWER_FORMATS.items()
    }
    ends[JSON_ANSWER.name] = language.prints.safe_substitute(values)
    return Call(language.lang, language.label, language.sends.safe_substitute(values), ends)


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


CURL: Final = Language(
    "Shell",
    "curl",
    {"key": '  -H "Authorization: Key $CONNECT_API_KEY" \\\n'},
    _curl_values,
    sends=Template("curl '$url' \\\n  -H 'Content-Type: application/json' \\\n$key  -d '$body'"),
    prints=Template(""),
    saves=Template(" \\\n  --fail-with-body -o $file"),
)

PYTHON: Final = Language(
    "Python",
    "Python",
    {
        "imports": "import os\n\n",
        "key": 'headers = {"Authorization": "Key " + os.environ["CONNECT_API_KEY"]}\n',
        "argument": ", headers=headers",
    },
    _python_values,
    sends=Template(
        """${imports}import requests

${key}body = $body
answer = requests.post("$url", json=body$argument)
if not answer.ok:
    raise SystemExit(answer.text)
"""
    ),
    prints=Template("print(answer.json()$of_answer)"),
    saves=Template('with open("$file", "wb") as file:\n    file.write(answer.content)'),
)

R_OPTIONS: Final = 'digits = NA, na = "null", POSIXt = "ISO8601", UTC = TRUE'
"""All digits that jsonlite can write, missing values as null, and times in UTC: by default jsonlite
writes times in the caller's time zone without naming it."""

R: Final = Language(
    "R",
    "R",
    {"key": '  req_headers(Authorization = paste("Key", Sys.getenv("CONNECT_API_KEY"))) |>\n'},
    _r_values,
    sends=Template(
        """library(httr2)

$made
request("$url") |>
$key  $sent |>
  req_error(body = \\(answer) resp_body_json(answer)$$message) |>
  req_perform() |>
"""
    ),
    prints=Template("  resp_body_json(simplifyVector = TRUE)"),
    saves=Template('  resp_body_raw() |>\n  writeBin("$file")'),
)

POWERSHELL: Final = Language(
    "PowerShell",
    "PowerShell",
    {"key": '  Headers = @{ Authorization = "Key $env:CONNECT_API_KEY" }\n'},
    _powershell_values,
    sends=Template(
        """$$body = '$body'
$$request = @{
  Uri = "$url"
  Method = "Post"
  ContentType = "application/json; charset=utf-8"
  Body = [Text.Encoding]::UTF8.GetBytes($$body)
$key}
Invoke-RestMethod @request"""
    ),
    prints=Template(" | ConvertTo-Json -Depth 9"),
    saves=Template(" -OutFile $file"),
)

LANGUAGES: Final = (CURL, PYTHON, R, POWERSHELL)
