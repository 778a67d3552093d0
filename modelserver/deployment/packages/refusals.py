"""Lines of a model's requirements file that are not merged into ours, and why.

In: the model's lines and ours. Out: a sentence for each refused line. Accepted are only packages by
name, with hashes or a URL, and URLs of packages; all else is refused. An option would count for all
our packages, and Connect does not have the file of a path.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from modelserver.deployment.packages.lines import KEY, LONGEST, Line

HASHES: Final = re.compile(r"(?:\s+--hash[ =]\w+:\w+)*")

REMOTE: Final = re.compile(r"https?://\S+|(?:git|hg|svn|bzr)\+(?:https?|ssh)://\S+")

ADDRESS: Final = re.compile(rf"(?:(?:-e|--editable)[ =]+)?(?:{REMOTE.pattern})(?:{HASHES.pattern})")
"""A line that names a package only by its URL."""

OPTION: Final = re.compile(r"(--[\w-]*|-\w)[\s=]*(.*)", re.S)

SHORT: Final = {
    "-c": "--constraint",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
    "-r": "--requirement",
}

OF_FILES: Final = frozenset({"--constraint", "--requirement"})

INDEXES: Final = frozenset({"--extra-index-url", "--find-links", "--index-url"})

ARCHIVES: Final = (".whl", ".zip", ".tar", ".tgz", ".tbz", ".txz", ".tlz", ".gz", ".bz2", ".xz")

PATH: Final = re.compile(r"(?:\w+\+)?file:|[./~]|[^:\s]*[/\\]|\w:[/\\]")

LOCAL: Final = (
    "the model asks for `{}`, a file that Connect does not have; "
    "publish that package, or log the model with code_paths instead"
)
NOT_LOGGED: Final = (
    "the model's `{}` names a file that was not logged with it; log it again without that line"
)
FOR_ALL: Final = (
    "the model's `{}` would count for every package; "
    "if it may, add the same line to requirements.txt yourself"
)
LOGIN: Final = re.compile(
    r"(?<!ssh)://(?!(?:git|\$\{\w+\}(?::\$\{\w+\})?)@)[^/\s]*@|ssh://[^/\s@]*:[^/\s@]*@"
)
"""A secret login in a URL. `git`, the user name of an ssh URL, and a variable that pip replaces are
no secrets."""

KEY_IN_ADDRESS: Final = re.compile(
    r"[?&#][\w-]*(?:token|sig|key|secret|password|auth|credential)[\w-]*=", re.I
)

WITH_LOGIN: Final = (
    "the model's `{}` has a login or a key in it, which would lie open in requirements.txt; log "
    "the model again with the address alone, and let git or pip find the login where it installs"
)
UNKNOWN: Final = (
    f"the model's line `{{}}` is no requirement of up to {LONGEST} characters, "
    "no address and no option; log it again without that line"
)


def refusals(model: Sequence[Line], ours: Sequence[Line]) -> Iterator[str]:
    """A sentence for each line of the model that cannot be taken over."""
    present = {option for line in ours if (option := read_option(line.content))}
    for line in model:
        if line.content and (why := _refusal(line, present)):
            yield why.format(line.quoted)


def has_login(text: str) -> bool:
    """Whether a URL in the text contains a login or a key."""
    return any(pattern.search(text) for pattern in (LOGIN, KEY_IN_ADDRESS, KEY))


def is_address(line: Line) -> bool:
    """Whether the line is only the URL of a package."""
    return line.requirement is None and ADDRESS.fullmatch(line.content) is not None


def leads_nowhere(line: Line) -> bool:
    """Whether the line names a file or folder, which Connect does not have."""
    name, value = read_option(line.content) or ("", "")
    if name in OF_FILES | INDEXES:
        return REMOTE.match(value) is None
    return _refusal(line, set()) == LOCAL


def _refusal(line: Line, present: set[tuple[str, str]]) -> str | None:
    option = read_option(line.content)
    if option and option in present and option[0] not in OF_FILES:
        return None
    if has_login(line.content):
        return WITH_LOGIN
    if is_address(line):
        return None
    if line.requirement:
        url = line.requirement.url
        named = line.requirement.name.lower()
        if named.endswith(ARCHIVES) or (url and not REMOTE.fullmatch(url)):
            return LOCAL
        return None if HASHES.fullmatch(line.options) else UNKNOWN
    if option:
        return _of_option(*option)
    return LOCAL if is_path(line.content) else UNKNOWN


def read_option(content: str) -> tuple[str, str] | None:
    """The name and the value of a line that is an option; None for any other line. pip accepts
    abbreviated names too."""
    found = OPTION.match(content)
    if not found:
        return None
    name = SHORT.get(found[1], found[1])
    whole = [known for known in SHORT.values() if known.startswith(name)]
    return (whole or [name])[0], found[2]


def _of_option(name: str, value: str) -> str:
    if name in OF_FILES:
        return NOT_LOGGED
    if name == "--editable":
        return LOCAL
    return NOT_LOGGED if name == "--find-links" and not REMOTE.match(value) else FOR_ALL


def is_path(content: str) -> bool:
    """Whether pip reads the line as a path."""
    return PATH.match(content) is not None or content.lower().endswith(ARCHIVES)
