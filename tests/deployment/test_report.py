"""The report on terminals, in files, and on consoles with few characters."""

import io
import json

import pytest

from modelserver.deployment.checks.report import Check, Style, write_json, write_table

CHECKS = [
    Check("settings", "ok", "models:/wine/1"),
    Check("Python", "warning", "here is 3.12 …", "echo 3.11 > .python-version"),
    Check("installed", "failed", "word " * 30, "pip install " + "x" * 100),
    Check("load", "skipped", "not checked"),
]

PLAIN = f"""\
✓ settings          models:/wine/1
! Python            here is 3.12 …
                    → echo 3.11 > .python-version
✗ installed         word word word word word word word word word word word word word word word word
                    word word word word word word word word word word word word word word
                    → pip install {"x" * 100}
- load              not checked
Failed: 1, warnings: 1.
"""


class Stream(io.TextIOWrapper):
    """A stream in memory with an encoding, which may be a terminal."""

    def __init__(self, encoding: str, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding, "replace", newline="")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def text(self) -> str:
        self.seek(0)
        return self.read()


def written(stream: Stream, **environment: str) -> str:
    assert not write_table(CHECKS, stream, Style.of(stream, environment), "deploy")
    return stream.text()


def test_a_file_gets_no_colour() -> None:
    assert written(Stream("utf-8", False)) == PLAIN


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colour(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert written(Stream("utf-8", True), **environment) == PLAIN


def test_a_terminal_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    text = written(Stream("utf-8", True), TERM="xterm")
    assert text.startswith("\033[32m✓\033[0m settings          models:/wine/1\n\033[33m!\033[0m ")
    found = [line for line in text.splitlines() if line.strip().startswith("word")]
    assert max(map(len, found)) <= 60


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252"])
def test_a_console_without_the_signs(encoding: str) -> None:
    lines = written(Stream(encoding, False)).splitlines()
    assert [line[0] for line in lines[:2]] == ["+", "!"]
    assert lines[2].strip() == "-> echo 3.11 > .python-version"


def test_json() -> None:
    stream = Stream("ascii", False)
    assert not write_json(CHECKS, stream)
    report = json.loads(stream.text())
    assert report["passed"] is False
    assert [check["status"] for check in report["checks"]] == ["ok", "warning", "failed", "skipped"]
    assert report["checks"][0] == {
        "name": "settings",
        "status": "ok",
        "found": "models:/wine/1",
        "advice": "",
    }


def test_warnings_do_not_fail() -> None:
    stream = Stream("utf-8", False)
    assert write_table(CHECKS[:2], stream, Style.of(stream, {}), "deploy")
    assert stream.text().splitlines()[-2:] == [
        "Nothing failed; warnings: 1. Next:",
        "    deploy",
    ]
    assert write_json(CHECKS[:2], Stream("utf-8", False))


def test_the_next_step_is_shown_when_all_is_well() -> None:
    stream = Stream("utf-8", False)
    assert write_table(CHECKS[:1], stream, Style.of(stream, {}), "deploy --now")
    assert stream.text().splitlines()[-2:] == ["All is well. Next:", "    deploy --now"]
