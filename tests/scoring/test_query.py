"""The query string of /invocations: what is known is read, all else is refused."""

import pytest

from modelserver.errors import ApiError
from modelserver.scoring.answering.formats import ANSWER_FORMATS
from modelserver.scoring.query import NOTHING, PARAMETERS, Query, read_query
from modelserver.types.names import listed


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (b"", NOTHING),
        (b"&", NOTHING),
        (b"format=csv", Query(format=ANSWER_FORMATS["csv"])),
        (b"include=inputs", Query(include=("inputs",))),
        (b"include=id,%C3%BC%2C+x", Query(include=("id", "ü", " x"))),
        (b"include=%22a,b%22,c&format=csv", Query(ANSWER_FORMATS["csv"], ("a,b", "c"))),
        (b"format=%4eDJSON", Query(format=ANSWER_FORMATS["ndjson"])),
    ],
)
def test_queries(text: bytes, query: Query) -> None:
    assert read_query(text) == query


KNOWN = f"there are: {listed(PARAMETERS)}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"fromat=csv", f"unknown query parameters: 'fromat' (did you mean 'format'?); {KNOWN}"),
        (b"a=1&b=2&format=csv", f"unknown query parameters: 'a', 'b'; {KNOWN}"),
        (b"csv", f"unknown query parameters: 'csv'; {KNOWN}"),
        (b"format=csv&format=csv", "query parameters given twice: 'format'"),
        (b"format=", "the query parameter 'format' is empty"),
        (b"format", "the query parameter 'format' is empty"),
        (
            b"format=xlsx",
            "the query parameter 'format' is one of json, csv, ndjson, parquet, arrow, not 'xlsx'",
        ),
        (b"include=id,id", "'include' names columns twice: 'id'"),
        (b"include=%22id", "'include' must be names of columns with commas between them"),
        (b"include=,", "'include' must be names of columns with commas between them"),
        (b"include=id,", "'include' must be names of columns with commas between them"),
        (b"include=%0A", "'include' must be names of columns with commas between them"),
        (b"format=%ff", "the query string is not UTF-8 text"),
        (b"format=\xff", "the query string is not UTF-8 text"),
    ],
)
def test_refused_queries(text: bytes, message: str) -> None:
    with pytest.raises(ApiError) as raised:
        read_query(text)
    assert (raised.value.status, raised.value.message) == (400, message)
