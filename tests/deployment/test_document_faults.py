"""What keeps a value from being an OpenAPI document."""

from typing import Any

import pytest
import yaml

from modelserver.deployment.checks.document_faults import faults
from modelserver.describing.description import BASE, base_description


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"openapi": "3.1.0", "paths": {"/invocations": {}}}, []),
        ({}, ["it is not OpenAPI 3.1", "it has no /invocations"]),
        (
            {
                "openapi": "3.1.0",
                "paths": {
                    "/invocations": {"post": {"x": [{"$ref": "#/a/b"}, {"$ref": "#/a/c/d"}]}}
                },
                "a": {"b": {"$ref": "#/x"}, "c": 1},
            },
            ["there is no #/a/c/d", "there is no #/x"],
        ),
        (
            {
                "openapi": "3.1.0",
                "info": {"contact": {"x-chat": ["#wine"]}},
                "paths": {"/invocations": {}, "x-more": 1},
            },
            [],
        ),
        ({"openapi": "3.1.0", "paths": 1}, ["it has no /invocations", "paths is not an object"]),
    ],
)
def test_faults(document: dict[str, Any], expected: list[str]) -> None:
    assert list(faults(document)) == expected


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("tags: x", "tags is not an array"),
        ("tags:", "tags is not an array"),
        ("tags: [x]", "tags > 0 is not an object"),
        ("tags: [{name: 1}]", "tags > 0 > name is not text"),
        ("servers: {url: x}", "servers is not an array"),
        ("security: [x]", "security > 0 is not an object"),
        ("info: {title: t, version: 1.0}", "info > version is not text"),
        ("info: {contact: me}", "info > contact is not an object"),
        ("paths: {/invocations: {post: {tags: x}}}", "paths > /invocations > post > tags is not"),
        ("components: {schemas: {Input: x}}", "components > schemas > Input is not an object"),
    ],
)
def test_a_part_of_another_kind(line: str, fault: str) -> None:
    document = {**base_description().document, **yaml.safe_load(line)}
    assert any(found.startswith(fault) for found in faults(document))


def test_the_base_has_none() -> None:
    assert list(faults(yaml.safe_load(BASE.read_text(encoding="utf-8")))) == []
