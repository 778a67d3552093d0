"""A model's packages merged into our requirements.txt, in a marked block.

In: the text of requirements.txt and the model's lines. Out: the new text. A line of ours for a
package of the block is put aside as a comment, so each package has one line, and the next merge
begins with our own lines as they were. Whatever is no requirement stays byte for byte.

Raises `Conflict` with a sentence for each contradiction. Reads and writes no files.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from modelserver.requirements import Line, read_lines
from modelserver.versions import common

START: Final = "# >>> model packages"
END: Final = "# <<< model packages"
ASIDE: Final = "# the model's line replaces: "

BLOCK: Final = re.compile(rf"^{START}(?:(?!^{START}).)*?^{END}[^\n]*\n?", re.M | re.S)

STRAY: Final = re.compile(rf"^(?:{START}|{END})[^\n]*\n?", re.M)
"""A mark without its partner: a file with a block was sorted."""

INDEX: Final = re.compile(r"(?:-i|--index-url)[ =]+(\S+)")

SERVER: Final = frozenset(
    {"httptools", "mlflow", "orjson", "pandas", "pyyaml", "starlette", "uvicorn", "uvloop"}
)
"""What the server itself needs: the last line for one of these is never dropped."""


class Conflict(Exception):
    """The lines contradict each other, or cannot be taken over."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class Match:
    """What is said of one package under one marker, by the model and by us."""

    theirs: tuple[Line, ...]
    replaced: tuple[Line, ...]
    """Our lines that the model's line stands for."""
    beside: tuple[Line, ...]
    """Our lines that stay, because one of the two counts under its marker only."""


def merge(
    text: str, model: Sequence[Line], label: str, aliases: Mapping[str, str] | None = None
) -> str:
    """`text` with the packages of `model` in its block; `label` says which model.

    `aliases`: packages of ours that go by another name in `model`. Raises `Conflict`.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    head, tail = (read_lines(part) for part in _without_block(text, newline))
    matches = _matches(head + tail, model, aliases or {})
    if reasons := [*_not_ours_to_take(model, head + tail), *_contradictions(matches)]:
        raise Conflict(reasons)
    block = [f"{START} of {label}, made by install_model_deps.sh; edits here are lost"]
    block += _options(model, head + tail)
    block += [_one_line(match) for match in matches]
    block += [END]
    fate = {line: _fate(line, match) for match in matches for line in match.replaced}
    return "".join(
        [
            *(fate.get(line, line.text) for line in head),
            *(f"{line}{newline}" for line in block),
            *(fate.get(line, line.text) for line in tail),
        ]
    )


def contradictions(
    text: str, model: Sequence[Line], aliases: Mapping[str, str] | None = None
) -> list[str]:
    """A sentence for each package that `text` and `model` cannot have in the same version."""
    head, tail = _without_block(text, "\n")
    return list(_contradictions(_matches(read_lines(head + tail), model, aliases or {})))


def _without_block(text: str, newline: str) -> tuple[str, str]:
    """The text before and after the block, as it was before the block was made."""
    block = BLOCK.search(text)
    head, tail = (text[: block.start()], text[block.end() :]) if block else (text, "")
    if head and not head.endswith("\n"):
        head += newline
    return _restored(head), _restored(BLOCK.sub("", tail))


def _restored(text: str) -> str:
    return re.sub(rf"^{ASIDE}", "", STRAY.sub("", text), flags=re.M)


def _matches(
    ours: Sequence[Line], model: Sequence[Line], aliases: Mapping[str, str]
) -> list[Match]:
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in model:
        if line.requirement:
            groups.setdefault((line.name, line.marker), []).append(line)
    return [
        _match(name, marker, theirs, [o for o in ours if aliases.get(o.name, o.name) == name])
        for (name, marker), theirs in groups.items()
    ]


def _match(name: str, marker: str, theirs: list[Line], ours: list[Line]) -> Match:
    replaced = [line for line in ours if line.marker == marker or not (marker or _url(line))]
    # Two markers that differ may exclude each other, so only lines without one are held together.
    others = [line for line in ours if line not in replaced and not (marker and line.marker)]
    return Match(tuple(theirs), tuple(replaced), tuple(others))


def _contradictions(matches: Sequence[Match]) -> Iterator[str]:
    for match in matches:
        lines = match.theirs + match.replaced + match.beside
        urls = {url for line in lines if (url := _url(line))}
        if len(urls) > 1 or (not urls and common(_specifiers(lines)) is None):
            ours = match.replaced + match.beside
            also = f", requirements.txt has {_quoted(ours)}" if ours else ""
            yield f"the model asks for {_quoted(match.theirs)}{also}"


def _not_ours_to_take(model: Sequence[Line], ours: Sequence[Line]) -> Iterator[str]:
    """What of the model's file means nothing in ours, or something else."""
    indexes = {found[1] for line in ours if (found := INDEX.match(line.content))}
    for line in model:
        index = INDEX.match(line.content)
        if line.is_local:
            yield (
                f"the model asks for `{line.content}`, a file of the machine where it was logged; "
                "publish that package, or log the model with code_paths instead"
            )
        elif line.content.startswith(("-r", "--requirement")):
            yield f"the model's `{line.content}` names a file that was not logged with it"
        elif index and indexes - {index[1]}:
            yield f"the model asks for `{line.content}`, requirements.txt has another --index-url"


def _options(model: Sequence[Line], ours: Sequence[Line]) -> list[str]:
    """The model's lines that name no package, such as --extra-index-url, unless we have them."""
    present = {line.content for line in ours}
    found = [line.content for line in model if line.content and not line.requirement]
    return [content for content in dict.fromkeys(found) if content not in present]


def _one_line(match: Match) -> str:
    """The line that says what all lines of the match say, as one of them says it if it can."""
    lines = match.theirs + match.replaced
    for line in lines:
        if _url(line):
            return line.text.rstrip("\r\n")
    wanted = Requirement(str(match.theirs[0].requirement))
    wanted.specifier = common(_specifiers(lines)) or SpecifierSet()
    wanted.extras = {extra for line in lines for extra in _requirement(line).extras}
    # Hashes belong to one version, so where a line has them it is the one that names it.
    for line in sorted(lines, key=lambda line: not line.options):
        if line.requirement == wanted:
            return line.text.rstrip("\r\n")
    return str(wanted)


def _fate(line: Line, match: Match) -> str:
    """What becomes of a line of ours that the block replaces: a comment, from which it can come
    back; nothing where it is only a copy of the model's line, as `cat` and `sort` make them."""
    copies = [ours for ours in match.replaced if _is_copy(ours, match)]
    if line in copies and (line.name not in SERVER or len(copies) < len(match.replaced)):
        return ""
    return "".join(ASIDE + part for part in line.text.splitlines(keepends=True))


def _is_copy(line: Line, match: Match) -> bool:
    said = (line.requirement, line.options)
    return any(said == (theirs.requirement, theirs.options) for theirs in match.theirs)


def _requirement(line: Line) -> Requirement:
    assert line.requirement is not None  # matches are made of nothing else
    return line.requirement


def _url(line: Line) -> str | None:
    return _requirement(line).url


def _specifiers(lines: Sequence[Line]) -> list[SpecifierSet]:
    return [_requirement(line).specifier for line in lines]


def _quoted(lines: Sequence[Line]) -> str:
    return " and ".join(f"`{line.content}`" for line in lines)
