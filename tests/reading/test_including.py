"""Columns of a request that its answer holds: which further ones `inputs` means."""

import pytest

from modelserver.errors import BadRequest
from modelserver.reading.signatures.including import ALL, including
from tests.support.signatures import column, read, signature


@pytest.mark.parametrize("name", ["ödd", "Öd", "o\u0308d", "öd "])
def test_a_misspelt_optional_column_is_no_further_column(name: str) -> None:
    optional = signature(column("long", "id"), column("double", "öd", required=False))
    body = [{"id": 1, name: 2.0}]
    with pytest.raises(BadRequest, match="'öd'"):
        read(including(optional, ("inputs",)), body)
    assert read(including(optional, (name,)), body).carried == {name: (2.0,)}
    present = read(including(optional, ("inputs",)), [{**body[0], "öd": 3.0}])
    assert list(present.carried or ()) == ["id", name, "öd"]


def test_many_further_columns_are_not_compared_with_the_optional_ones() -> None:
    optional = signature(column("long", "id"), column("double", "od", required=False))
    body = [{"id": 1, **{f"od{number}": 0 for number in range(10_001)}}]
    assert len(read(including(optional, ("inputs",)), body).carried or ()) == 10_002


def test_a_misspelt_required_column_is_named_beside_the_one_that_is_missing() -> None:
    required = signature(column("long", "id"), column("double", "length"))
    message = r"missing columns: 'length'; unknown columns: 'Length' \(did you mean 'length'\?\)"
    with pytest.raises(BadRequest, match=message):
        read(including(required, ALL), [{"id": 1, "Length": 2.0, "note": "x"}])
