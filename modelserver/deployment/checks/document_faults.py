"""Why a value is no OpenAPI document that tools can read.

In: the document, decoded. Out: a phrase for each fault. Nothing is raised.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from modelserver.describing.document import TYPE_NAMES

PARTS: Final[Mapping[str, type]] = {
    "info": dict,
    "info/title": str,
    "info/version": str,
    "info/summary": str,
    "info/description": str,
    "info/termsOfService": str,
    "info/contact": dict,
    "info/contact/*": str,
    "info/license": dict,
    "info/license/*": str,
    "externalDocs": dict,
    "externalDocs/url": str,
    "servers": list,
    "servers/*": dict,
    "servers/*/url": str,
    "servers/*/description": str,
    "security": list,
    "security/*": dict,
    "security/*/*": list,
    "tags": list,
    "tags/*": dict,
    "tags/*/name": str,
    "tags/*/description": str,
    "paths": dict,
    "paths/*": dict,
    "paths/*/*/operationId": str,
    "paths/*/*/summary": str,
    "paths/*/*/description": str,
    "paths/*/*/tags": list,
    "paths/*/*/tags/*": str,
    "paths/*/*/security": list,
    "paths/*/*/parameters": list,
    "paths/*/*/parameters/*": dict,
    "paths/*/*/responses": dict,
    "paths/*/*/responses/*": dict,
    "paths/*/*/responses/*/description": str,
    "components": dict,
    "components/*": dict,
    "components/*/*": dict,
}
"""Parts of the document that people may edit, and their types. A star stands for any item of an
array and for any key, except those of extensions."""


def faults(document: Any) -> Iterator[str]:
    """The faults of the document."""
    if not str(document.get("openapi", "")).startswith("3.1"):
        yield "it is not OpenAPI 3.1"
    paths = document.get("paths", {})
    if not isinstance(paths, dict) or "/invocations" not in paths:
        yield "it has no /invocations"
    for pattern, wanted in PARTS.items():
        for path, part in _found(document, pattern.split("/")):
            if type(part) is not wanted:
                yield f"{' > '.join(path)} is not {TYPE_NAMES[wanted]}"
    for reference in sorted(set(_references(document))):
        if not _is_there(document, reference):
            yield f"there is no {reference}"


def _found(value: Any, pattern: Sequence[str]) -> Iterator[tuple[list[str], Any]]:
    """The parts that a pattern matches, each with the keys that lead to it."""
    if not pattern:
        yield [], value
        return
    first, *rest = pattern
    pairs = value.items() if isinstance(value, dict) else enumerate(_items(value))
    for key, part in pairs:
        if first == key or (first == "*" and not str(key).startswith("x-")):
            for path, found in _found(part, rest):
                yield [str(key), *path], found


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for item in _items(value):
        yield from _references(item)


def _is_there(document: Any, reference: str) -> bool:
    for key in reference.removeprefix("#/").split("/"):
        document = document.get(key) if isinstance(document, dict) else None
    return document is not None
