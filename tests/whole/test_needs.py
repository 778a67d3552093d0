"""What is missing skips a test, or fails it where it must run."""

import pytest

from tests.support.needs import need


def test_what_is_there_is_no_reason_to_skip() -> None:
    need("/usr/bin/browser", "there is no browser")


def test_what_is_missing_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TESTS_MUST_RUN", raising=False)
    with pytest.raises(pytest.skip.Exception, match="there is no browser"):
        need(None, "there is no browser")


def test_what_is_missing_fails_where_tests_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTS_MUST_RUN", "1")
    with pytest.raises(pytest.fail.Exception, match="there is no browser"):
        need(None, "there is no browser")
