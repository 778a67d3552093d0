"""How names are written in messages, and which known name was meant by an unknown one. Pure.

In: names as a caller sent them, and those that the model knows. Out: texts for messages, and the
details of faults.
"""

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from modelserver.errors import LIMIT

MOST_GUESSES: Final = 10_000
"""The most pairs of names that are compared to find misspelt ones; it takes 10 µs each."""


def shortened(text: str, longest: int) -> str:
    """The text, cut to at most `longest` characters."""
    return text[: longest - 1] + "…" if len(text) > longest else text


def clipped(name: object) -> object:
    """A name as the caller sent it, cut if it is long."""
    return shortened(name, 80) if isinstance(name, str) else name


def quoted(name: object) -> str:
    """A name as it is quoted in a message."""
    return repr(clipped(name))


def some(values: Sequence[Any], limit: int, shown: Callable[[Any], str] = str) -> str:
    """The first `limit` values with commas between them, and how many more there are. `shown` makes
    the text of a value."""
    more = f" and {len(values) - limit} more" if len(values) > limit else ""
    return ", ".join(map(shown, values[:limit])) + more


def listed(names: Iterable[object], limit: int = 20) -> str:
    """The first `limit` names, quoted, with commas between them, and how many more there are."""
    return some(list(names), limit, quoted)


@dataclass(frozen=True, slots=True)
class Hint:
    """The known name that was probably meant. `remark` names a difference that nobody can see."""

    name: str
    remark: str = ""

    def __str__(self) -> str:
        return f"did you mean {self.name!r}{self.remark}?"


def hint(name: str, known: Sequence[str], alike: float = 0.6) -> Hint | None:
    """The known name that was probably meant by an unknown one; None if there is none, or if the
    name is so long that the search would take too long. `alike`: how much both must have in common,
    from 0 to 1."""
    if len(name) > 80:
        return None
    for fold, remark in FOLDS:
        if same := [other for other in known if fold(other) == fold(name)]:
            return Hint(same[0], remark(name, same[0]))
    close = difflib.get_close_matches(name, known, 1, alike)
    return Hint(close[0]) if close else None


def not_taken(what: str, name: object, known: Sequence[str]) -> dict[str, Any]:
    """The detail for an unknown column or param. `what`: which of the two it is; `known`: the names
    that the model takes."""
    meant = hint(str(name), known)
    detail = {what: clipped(name), "found": f"a {what} that the model does not take"}
    return detail | {"did_you_mean": meant.name} if meant else detail


def suggested(names: Sequence[object], known: Sequence[str]) -> str:
    """Unknown names for a message, each with the known name that was probably meant."""

    def shown(name: object) -> str:
        meant = hint(str(name), known)
        return quoted(name) + (f" ({meant})" if meant else "")

    return some(names, LIMIT, shown)


def folded(name: str) -> str:
    """The name without differences that people overlook: blanks around it, upper case, and the way
    in which Unicode composes its letters."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def are_params(names: Sequence[object]) -> str:
    """The message for params that were sent as columns: it says where they belong."""
    which = f"{listed(names)} is a param" if len(names) == 1 else f"{listed(names)} are params"
    return f"{which}; send {'it' if len(names) == 1 else 'them'} under 'params'"


def _spaces(sent: str, known: str) -> str:
    """The remark on a known name that differs from the one that was sent by spaces around it."""
    more = "with" if len(known) > len(sent) else "without"
    spaces = "a space" if abs(len(known) - len(sent)) == 1 else "spaces"
    starts = (len(name) - len(name.lstrip()) for name in (sent, known))
    ends = (len(name) - len(name.rstrip()) for name in (sent, known))
    sides = {"start": starts, "end": ends}
    places = [side for side, (before, now) in sides.items() if before != now]
    return f", {more} {spaces} at its {' and '.join(places)}" if places else ", with other spaces"


FOLDS: Final[Sequence[tuple[Callable[[str], str], Callable[[str, str], str]]]] = (
    (
        partial(unicodedata.normalize, "NFC"),
        lambda sent, known: ", written in another Unicode normalisation",
    ),
    (str.strip, _spaces),
    (folded, lambda sent, known: ""),
)
"""The ways in which an unknown name may equal a known one, and what makes the remark on a
difference that nobody can see, from both names."""
