"""One environment variable: its name, how its text is read, its default and its meaning.

In: a mapping of environment variables. Out: a value, or a `SettingsError`. The functions below the
class read texts; each raises `ValueError` for one that is no such value.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
N = TypeVar("N", int, float)


class StartError(ValueError):
    """Why the server cannot start: the text says what to correct."""


class SettingsError(StartError):
    """An environment variable holds a value that cannot be used."""


def unquoted(text: str) -> str:
    """The text without the blanks and quotes around it, which some shells and forms keep."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES:
        return text[1:-1].strip()
    return text


QUOTES: Final = "\"'"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One environment variable: how its text is read, its default and its meaning. If it is not
    set, `fallback_name` is read."""

    name: str
    read: Callable[[str], T]
    default: T
    meaning: str
    expects: str
    fallback_name: str | None = None
    is_secret: bool = False
    """Whether the text may contain a secret, which errors must not print."""
    may_be_empty: bool = True
    """Whether an empty variable counts as not set. If not, it is read like any other."""

    def value(self, environment: Mapping[str, str]) -> T:
        """The setting's value in `environment`. Raises `SettingsError`."""
        for name in filter(None, (self.name, self.fallback_name)):
            text = unquoted(environment.get(name, ""))
            if text or (name in environment and not self.may_be_empty):
                try:
                    return self.read(text)
                except ValueError as error:
                    hidden = text and (self.is_secret or "@" in text)
                    shown = "…" if hidden else repr(text)
                    raise SettingsError(f"{name}={shown}: expected {self.expects}") from error
        return self.default


def resembling(name: str, environment: Mapping[str, str]) -> list[str]:
    """The names of variables that are set, and whose letters are nearly those of `name`, or hold
    them."""
    wanted, found = _letters(name), []
    for other in environment:
        letters = _letters(other)
        alike = SequenceMatcher(None, wanted, letters).ratio() > NEARLY
        if other != name and environment[other].strip() and (wanted in letters or alike):
            found.append(other)
    return found


NEARLY: Final = 0.85
"""How much two names must have in common, from 0 to 1: one letter of eight may be another one."""


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).upper()


def key(text: str) -> str:
    """A key. Short ones can be guessed, and cannot be told from other words in the log."""
    if len(text) < 16 or not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("no key")
    return text


def server_url(text: str) -> str:
    """The URL of a server, without a slash at its end."""
    if not text.startswith(("http://", "https://")):
        raise ValueError("no URL")
    return text.rstrip("/")


def port(text: str) -> int:
    """The number of a port."""
    return _in_range(int(text), 0, 65535)


def seconds(text: str) -> float:
    """A number of seconds, at most a year."""
    return _in_range(float(text), 0, 86_400 * 365)


def whole_seconds(text: str) -> int:
    """A whole number of seconds, at most a year."""
    return _in_range(int(text), 0, 86_400 * 365)


def positive(text: str) -> int:
    """A whole number, 1 or more."""
    return _in_range(int(text), 1, 2**62)


def few(text: str) -> int:
    """A whole number from 1 to 1000."""
    return _in_range(int(text), 1, 1000)


def address(text: str) -> str:
    """A host's name or its number."""
    if not text.isprintable() or " " in text:
        raise ValueError("no address")
    return text


def _in_range(number: N, low: float, high: float) -> N:
    if not low <= number <= high:
        raise ValueError("out of range")
    return number


def json_object(text: str) -> Mapping[str, Any]:
    """A JSON object."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def one_of(*choices: str) -> Callable[[str], str]:
    """A function that reads one of these words, in upper or lower case."""

    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError("no such choice")
        return text.lower()

    return read
