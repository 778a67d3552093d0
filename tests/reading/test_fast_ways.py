"""Fast ways of reading: which bodies they read, and that they read what the plain way does.

A body of JSON takes a fast way from some size on only, so the same body is read plainly as it is,
and fast with so many spaces behind it.
"""

import contextlib
import csv
import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from modelserver.errors import ApiError, BadRequest, InvalidInput
from modelserver.reading import json_reader
from modelserver.reading.fast import FAST, json_pieces, parsed_body, read_fast
from modelserver.reading.fast.json_numbers import read_numbers
from modelserver.reading.fast.json_pieces import read_pieces
from modelserver.reading.formats import CSV, FORMATS, JSON
from modelserver.reading.json_reader import json_payload
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.including import ALL, including
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.reading.signatures.tensors import TensorSignature
from modelserver.scoring.answering.formats import ANSWER_FORMATS
from tests.reading.test_properties import repeatable
from tests.support.bench.without import WAYS, switched_off
from tests.support.zoo import account_of

needs_simdjson = pytest.mark.skipif(not parsed_body.AVAILABLE, reason="pysimdjson is missing")
LEAST = min(way.smallest for way in FAST)

SPACES = b" " * max(way.smallest for way in FAST)


PLAIN_ANSWERS = [row for row in ANSWER_FORMATS.values() if row.needs is None]


def fast(body: bytes, signature: Signature) -> Payload | None:
    """What a fast way makes of a body, whatever its size; None if none reads it, or if it does not
    fit."""
    with contextlib.suppress(InvalidInput):
        return read_fast(body + SPACES, signature)
    return None


def outcome(media_type: str, body: bytes, signature: Signature) -> Any:
    """What is made of it: the payload, or the error's message and details."""
    try:
        return account(FORMATS[media_type].read(body, signature, 10**6))
    except ApiError as error:
        return error.message, error.details


def account(payload: Payload) -> Any:
    carried = payload.carried and [answer.write(payload.carried) for answer in PLAIN_ANSWERS]
    data = account_of(payload.data)
    return data, payload.params, payload.rows, payload.typed, payload.wrapped, carried


def is_read_fast(body: bytes, signature: Signature) -> bool:
    """Whether a fast way reads the body; if so, it reads what the plain way does."""
    payload = fast(body, signature)
    assert len(body) < LEAST  # so that the plain way reads it
    if payload is not None:
        assert account(payload) == outcome(JSON, body, signature)
    return payload is not None


# Per type: cells of JSON that are plain, and cells that need a closer look, are wrong, or might be
# taken for something else.
JSON_CELLS: dict[str, tuple[list[str], list[str]]] = {
    "double": (
        ["1.5", "-2", "0", "1e5", "null", "4.9e-324"],
        [
            "1E400",
            "-0",
            "-0.0",
            "123456789012345678901234567890",
            "true",
            '"1.5"',
            '"nan"',
            '"inf"',
            '"0x1"',
            "{}",
            "[1]",
            "[]",
            '{"a":1}',
            '""',
            "9007199254740993",
        ],
    ),
    "long": (
        ["1", "-5", "0", "9223372036854775807"],
        ["9223372036854775808", "1.0", "1e3", "2.5", "null", "true", '"7"', '"0x1F"', "{}", "[2]"],
    ),
    "boolean": (["true", "false"], ["null", "1", "0", '"true"', "0.0", "[true]"]),
    "string": (
        ['"a"', '"b c"', "null", '"null"', '""', '"a,b"', '"[x]"', '"],["', '"ü"', '" x "', '"NA"'],
        ['"\\n"', "12", "1.5", "true", "[]", "{}", '"\\""'],
    ),
    "datetime": (
        ['"2024-01-31"', '"2024-01-31T12:00:00.5"', '"2024-01-31T12:00:00Z"', "null"],
        ['"x"', "5", '""', '"NaT"', "true"],
    ),
    "binary": (['"aGVsbG8="', '""'], ["null", '"!!"', "5"]),
}

CSV_CELLS: dict[str, tuple[list[str], list[str]]] = {
    "double": (
        ["1.5", "-2", "1e5", "", "NA", "NaN", "4.9e-324"],
        [
            "inf",
            "1e400",
            "0x1p3",
            "+1.5",
            " 1.5",
            "1.5 ",
            "true",
            "nan",
            "null",
            "007",
            "1_0",
            '"1,5"',
            ".5",
            "5.",
            "1e",
            "9007199254740993",
            "1d5",
            "\t1",
            "abc",
            '"2"',
        ],
    ),
    "long": (
        ["1", "-5", "007", "9223372036854775807"],
        ["+7", " 7", "1.0", "2.5", "9223372036854775808", "", "NA", "0x1F", "0X1", "1e3", '"8"'],
    ),
    "boolean": (["true", "False", "TRUE"], ["1", "0", "", "NA", "tRue", "true ", '"true"']),
    "string": (
        [
            "a",
            "",
            "NA",
            "null",
            "x y",
            " lead",
            "trail ",
            '"a,b"',
            '"line\nbreak"',
            '"cr\rx"',
            "ü",
            '"a""b"',
            '""',
        ],
        ['a"b', '"a"b', '"', "0x5", "\0", "\\", "'", '"a" ', "12", "007", "1.50", "true"],
    ),
    "datetime": (
        ["2024-01-31", "2024-01-31T12:00:00", "2024-01-31T12:00:00Z", "", "NaT", "NA", "null"],
        ["x", '"2024-01-31 12:00:00.5"'],
    ),
    "binary": (["aGVsbG8="], ["", "null", "!!"]),
}

for cells in (JSON_CELLS, CSV_CELLS):
    cells["float"] = (cells["double"][0], [*cells["double"][1], "4e38"])
    cells["integer"] = (["1", "-5", "0"], [*cells["long"][1], "2147483648"])

PYTHON_CELLS = {
    kind: ([*plain, "NaN"], [*odd, "Infinity", "-Infinity", '"NaN"'])
    for kind, (plain, odd) in JSON_CELLS.items()
}
"""The same with the constants of Python's json module."""


def signature_of(types: list[str], required: list[bool]) -> Signature:
    inputs = [
        {"name": f"c{place}", "type": kind, "required": need}
        for place, (kind, need) in enumerate(zip(types, required, strict=True))
    ]
    return compile_signature({"inputs": json.dumps(inputs)}, False)


@st.composite
def tables(
    draw: st.DrawFn, known: dict[str, tuple[list[str], list[str]]], *first: str
) -> tuple[Signature, list[str], list[list[str]]]:
    """A signature, the names of a table's columns, and its rows."""
    few = draw(st.sampled_from([sorted(known), ["double"], ["double", "string"], ["string"]]))
    types = [*first, *draw(st.lists(st.sampled_from(few), min_size=1, max_size=4))]
    required = [draw(st.booleans()) for _ in types]
    order = draw(st.permutations(range(len(types))))
    odd = draw(st.sets(st.sampled_from(order), max_size=2))
    cells = [
        st.sampled_from(known[types[place]][0] + known[types[place]][1] * (place in odd))
        for place in order
    ]
    rows = draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=5))
    return signature_of(types, required), [f"c{place}" for place in order], rows


def split(
    names: list[str], rows: list[list[str]], space: str = "", data_first: bool = False
) -> bytes:
    comma = "," + space
    data = comma.join(f"[{space}{comma.join(row)}]" for row in rows)
    header = json.dumps(names, ensure_ascii=False, separators=(comma, ":"))
    parts = [f'"columns":{space}{header}', f'"data":{space}[{data}]']
    if data_first:
        parts.reverse()
    return f'{{"dataframe_split":{space}{{{comma.join(parts)}}}}}'.encode()


def in_records(
    names: list[str], rows: list[list[str]], space: str = "", form: str = "dataframe_records"
) -> bytes:
    keys = [f"{json.dumps(name)}:{space}" for name in names]
    cells = (f",{space}".join(map("".join, zip(keys, row, strict=True))) for row in rows)
    objects = f"}}{space},{space}{{".join(cells)
    return f'{{"{form}":{space}[{{{objects}}}]}}'.encode()


def in_columns(
    names: list[str], rows: list[list[str]], space: str = "", form: str = "inputs"
) -> bytes:
    columns = zip(names, zip(*rows, strict=True), strict=True)
    cells = (f"{json.dumps(name)}:{space}[{','.join(column)}]" for name, column in columns)
    return f'{{"{form}":{space}{{{f",{space}".join(cells)}}}}}'.encode()


WRITERS: dict[str, Callable[..., bytes]] = {
    "split": split,
    "split, data first": partial(split, data_first=True),
    "records": in_records,
    "instances": partial(in_records, form="instances"),
    "inputs": partial(in_records, form="inputs"),
    "columns": in_columns,
    "columns as instances": partial(in_columns, form="instances"),
}


def check_pieces(body: bytes, signature: Signature, size: int) -> bool:
    """Whether the body is read in pieces of this size; if so, it is read as the plain way does."""
    payload = None
    with contextlib.suppress(BadRequest):
        payload = read_pieces(body, signature, size)
    if payload is not None:
        assert account(payload) == outcome(JSON, body, signature)
    return payload is not None


@pytest.mark.parametrize("writer", WRITERS)
@given(table=tables(JSON_CELLS), data=st.data())
@repeatable
def test_damaged_tables_are_read_as_otherwise(writer: str, table: Any, data: st.DataObject) -> None:
    signature, names, rows = table
    body = WRITERS[writer](names, rows, data.draw(st.sampled_from(["", " ", "\n"])))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
    damages = [b"", b"]", b"[", b",", b'"', b"}", b"],[", b"},{", b" ", b'"c1":', b"c", b"0", b"{}"]
    damage = data.draw(st.sampled_from(damages))
    body = body[:start] + damage + body[min(end, start + 3) :]
    check_pieces(body, signature, data.draw(st.integers(0, 40)))


TYPES = ["double", "long", "boolean", "string", "datetime", "binary", "float", "string", "integer"]
NAMES = [f"c{place}" for place in range(len(TYPES))]


@pytest.mark.parametrize("size", [0, 200, 10**6])
@pytest.mark.parametrize("space", ["", " ", "\r\n\t"])
@pytest.mark.parametrize("writer", WRITERS)
def test_plain_tables_are_read_in_pieces(writer: str, space: str, size: int) -> None:
    cells = {kind: [c for c in JSON_CELLS[kind][0] if "[" not in c] for kind in TYPES}
    rows = [[cells[kind][row % len(cells[kind])] for kind in TYPES] for row in range(9)]
    body = WRITERS[writer](NAMES, rows, space)
    signature = signature_of(TYPES, [True] * len(TYPES))
    assert check_pieces(body, signature, size) == (writer != "split, data first")
    payload = json_payload(body + SPACES, signature, 10**6)
    for place in range(len(TYPES)):  # models may change their input
        payload.data.iloc[0, place] = payload.data.iloc[1, place]


@pytest.mark.parametrize("size", [0, 100])
@pytest.mark.parametrize("odd", ['"\\u20ac\\ud83d\\ude00"', '""', "null", "5", "[]", "1e300"])
@pytest.mark.parametrize("place", [0, 9])
@pytest.mark.parametrize("writer", ["split", "records"])
def test_texts_are_read_in_pieces(writer: str, place: int, odd: str, size: int) -> None:
    rows = [['"a"', f'"text {row}"', "1"] for row in range(10)]
    rows[place][1] = odd
    signature = signature_of(["string", "string", "long"], [True] * 3)
    is_read = check_pieces(WRITERS[writer](["c0", "c1", "c2"], rows), signature, size)
    assert is_read == (odd not in ("[]", "1e300"))


PAIR = signature_of(["long", "string"], [True, True])
DOUBLES = signature_of(["double", "double"], [True, True])


@pytest.mark.parametrize("odd", ['"4"', "true", '"x"'])
@pytest.mark.parametrize("rows", [[0, 1], [1, 0]])
def test_a_piece_of_numbers_beside_another(rows: list[int], odd: str) -> None:
    cells = [["1", "2"], ["3", odd]]
    body = split(["c0", "c1"], [cells[row] for row in rows])
    assert check_pieces(body, DOUBLES, 0) == (odd != '"x"')


@pytest.mark.parametrize(("rows", "pieces"), [(3, 1), (3000, 1), (5000, 2)])
def test_how_many_pieces_a_body_has(rows: int, pieces: int) -> None:
    body = split(["c0", "c1"], [["1", '"a"']] * rows)
    shape, start, end = json_pieces.ARRAYS, body.index(b"[[") + 1, body.rindex(b"]")
    found = list(json_pieces._decoded(body, start, end, shape, json_pieces.PIECE))
    assert sum(map(len, found)) == rows
    assert len(found) == pieces


@pytest.mark.parametrize(
    "body",
    [
        '{"dataframe_split": {"index": [7], "columns": ["c0", "c1"], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"index": [[7, 8]], "columns": ["c0", "c1"], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c1", "c0"], "data": [["a", 1]]}, "params": {}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "\\n"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, 2], [1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [["1", null]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1", "_row"], "data": [[1, "a", "x"]]}}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, {"c1": "a:", "c0": 1}], "params": null}',
        '{"instances": [{"c0": 1, "c1": "a: \\"b: c\\""}]}',
        ' { "inputs" : { "c1" : [ "a" ] , "c0" : [ 1 ] } } ',
    ],
)
def test_other_tables_that_are_read_in_pieces(body: str) -> None:
    assert check_pieces(body.encode(), PAIR, 0)
    assert is_read_fast(body.encode(), PAIR)


@pytest.mark.parametrize(
    "body",
    [
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": []}}',
        '{"dataframe_split": {"columns": [], "data": [[]]}}',
        '{"dataframe_split": {"columns": {"c0": 1}, "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": {"a": 1}}}',
        '{"dataframe_split": {"columns": ["c0", "c0"], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c2"], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", ["c1"]], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0"], "data": [[1]]}}',
        '{"dataframe_split": {"columns": ["c0"], "columns": ["c1"], "data": [[1]]}}',
        '{"dataframe_split": {"data": [[1, "a"]], "columns": ["c0", "c1"]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"]], "index": [7]}}',
        '{"dataframe_split": {"index": [7, 8], "columns": ["c0", "c1"], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"], [2]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"], [2, "b", "c"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"], {"c0": 1, "c1": 1}]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1.5, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[null, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, {"a": "b"}]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[{}, "d"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[99999999999999999999, "d"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"],\v[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"]], "more": 1}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"]]}, "inputs": 1}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"]}',
        '{"dataframe_split": {"columns": ["c0", "\\"data\\": [["], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"data": [[1, "a"]]}}',
        '{"dataframe_split": [[1, "a"]]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, {"c0": 1}]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, {"c0": 1, "c2": "a"}]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, [1, "a"]]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a", "c1": "b"}]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}], "dataframe_records": [1]}',
        '{"dataframe_records": {"c0": [1], "c1": ["a"]}}',
        '{"instances": [{"c0": 1, "c1": "\\":"}]}',
        '{"inputs": {"c0": [1], "c1": ["a"], "c0": [1]}}',
        '{"inputs": {"c0": [1], "c1": ["a", "b"]}}',
        '{"inputs": {"c0": 1, "c1": ["a"]}}',
        '{"inputs": {"c0": [], "c1": []}}',
        '{"inputs": [[1, "a"]]}',
        '{"params": {}, "inputs": {"c0": [1], "c1": ["a"]}}',
        '[{"c0": 1, "c1": "a"}]',
        '{"inputs": {"c0"',
    ],
)
def test_bodies_left_to_the_plain_way(body: str) -> None:
    assert not check_pieces(body.encode(), PAIR, 0)
    assert not is_read_fast(body.encode(), PAIR)


@pytest.mark.parametrize("text", ["],[", "},{", "] , [", '"params"', "{", "[", "]"])
@pytest.mark.parametrize("writer", WRITERS)
def test_texts_that_look_like_the_end_of_a_piece(writer: str, text: str) -> None:
    body = WRITERS[writer](["c0", "c1"], [["1", json.dumps(text)]] * 3, "")
    assert check_pieces(body, PAIR, 10**6) == (writer != "split, data first")
    assert json_payload(body + SPACES, PAIR, 10**6).data["c1"].tolist() == [text] * 3
    check_pieces(body, PAIR, 0)


def test_params_are_read_beside_the_pieces() -> None:
    body = split(["a", "b"], [["1", "2"]])[:-1] + b', "params": {"p": 7}}'
    payload = read_pieces(body, NUMERIC["params"])
    assert payload is not None
    assert payload.params == {"p": 7}
    assert check_pieces(body, NUMERIC["params"], 0)


@pytest.mark.parametrize(
    "body",
    [
        split(["c0", "c1"], [["1", '"a"'], ["1.5", "{}"]]),
        split(["c0", "c2"], [["1", '"a"']]),
        b'{"dataframe_records": [{"c0": 1, "c1": "a"}, {"c0": "x", "c1": null}]}',
        b'{"inputs": {"c0": [1, true, "x"], "c1": ["a", "b", 0.5]}}',
        b'{"dataframe_records": [{"c0": 1, "c1": "a"}], "params": {"no": 1}}',
    ],
)
def test_cells_that_do_not_fit_are_found_without_reading_the_body_again(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = outcome(JSON, body, PAIR)
    monkeypatch.delattr(json_reader, "read_value")  # which the plain way needs
    assert outcome(JSON, body + SPACES, PAIR) == expected


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


DEEP = {
    "dataframe_split": '{"columns": ["c0", "c1"], "data": [[1, 2], [%s, 1]]}',
    "dataframe_records": '[{"c0": %s, "c1": 1}, {"c0": 1, "c1": 2}]',
    "instances": '[{"c0": 1, "c1": 1}, {"c0": %s, "c1": 2}]',
    "inputs": '{"c0": [1, %s], "c1": [1, 2]}',
    "params": "%s",
}
"""Values of the forms, with room for nested arrays."""


def deep(form: str, levels: int) -> bytes:
    """A body with so many levels."""
    around = DEEP[form].partition("%s")[0]
    open_before = 1 + sum(around.count(c) for c in "[{") - sum(around.count(c) for c in "]}")
    value = f'"{form}": {DEEP[form] % nested(levels - open_before)}'
    rows = '"dataframe_records": [{"c0": 1, "c1": 1}], ' if form == "params" else ""
    return f"{{{rows}{value}}}".encode()


@pytest.mark.parametrize("levels", [1023, 1024, 1025])
@pytest.mark.parametrize("form", DEEP)
def test_bodies_in_pieces_may_have_as_many_levels_as_others(form: str, levels: int) -> None:
    anything = signature_of(["any", "any"], [True, True])
    body = deep(form, levels)
    errors = []
    for sent in (body, body + SPACES):
        with contextlib.ExitStack() as stack:
            if levels > 1024 or form == "params":
                errors.append(stack.enter_context(pytest.raises(BadRequest)))
            assert json_payload(sent, anything, 10**6).rows == 2
    words = "depth limit exceeded" if levels > 1024 else "'params' must be an object"
    assert all(words in error.value.message for error in errors)
    assert (fast(body, anything) is not None) is (not errors)


@pytest.mark.parametrize("cut", ["1], [2", '{"a": 1}], [{"a": 2}', "]], [["])
def test_brackets_that_end_before_a_piece_does(cut: str) -> None:
    for levels in range(3):
        with pytest.raises((json_pieces.Unlike, orjson.JSONDecodeError)):
            json_pieces._loads(f"{'[' * levels}[{cut}]{']' * levels}".encode(), levels)


def test_what_does_not_fit_is_not_read_fast() -> None:
    body = split(["c0", "c1"], [["99999999999", '"a"']])
    assert is_read_fast(body, PAIR)
    integers = signature_of(["integer", "string"], [True, True])
    assert not is_read_fast(body, integers)
    with pytest.raises(BadRequest, match="beyond 32 bits"):
        json_payload(body + SPACES, integers, 10**6)


@pytest.mark.parametrize("rows", [[[], ["1"]], [["1"], []], [["1"], [], ["2"]]])
def test_rows_without_cells_in_a_table_of_one_column(rows: list[list[str]]) -> None:
    signature = signature_of(["double"], [True])
    body = split(["c0"], rows)
    assert fast(body, signature) is None
    assert "has 0 cells, expected 1" in outcome(JSON, body, signature)[0]


def test_bodies_that_claim_more_cells_than_they_hold() -> None:
    body = split([f"c{place}" for place in range(200_000)], [[]] * 200_000)
    assert fast(body, PAIR) is None


def test_models_that_have_no_plain_cells() -> None:
    body = split(["c0", "c1"], [["1", "2"]])
    item = {"type": "array", "items": {"type": "any"}, "name": "c1"}
    nested = json.dumps([{"name": "c0", "type": "long"}, item])
    assert fast(body, compile_signature(None, False)) is None
    assert fast(body, compile_signature({"inputs": nested}, False)) is None
    assert fast(body, compile_signature({"inputs": nested}, True)) is None


def test_an_object_that_is_one_row() -> None:
    array = {"name": "c1", "type": "array", "items": {"type": "long"}}
    inputs = [{"name": "c0", "type": "long"}, array]
    signature = compile_signature({"inputs": json.dumps(inputs)}, False)
    assert not check_pieces(b'{"inputs": {"c0": [1], "c1": [2]}}', signature, 0)
    assert check_pieces(b'{"inputs": [{"c0": 1, "c1": [2]}]}', signature, 0)


@pytest.mark.parametrize("cell", ["1", "1.5", "true", "null", '"a,b"', '{"a": [1]}'])
def test_cells_of_further_columns_stay_as_they_were_sent(cell: str) -> None:
    signature = including(signature_of(["double"], [True]), ALL)
    for write in (split, in_records, in_columns):
        body = write(["id", "c0"], [[cell, "2"], ["7", "3.5"]])
        assert check_pieces(body, signature, 10**6)
        payload = read_pieces(body, signature)
        assert payload is not None
        assert payload.carried is not None
        assert repr([*payload.carried["id"]]) == repr([json.loads(cell), 7])


@pytest.mark.parametrize("cell", ["2", "NaN"])
def test_integers_beyond_64_bits_in_further_columns_are_left_to_the_plain_way(cell: str) -> None:
    signature = including(signature_of(["double"], [True]), ALL)
    body = split(["id", "c0"], [[f"{2**64}", cell]])
    assert fast(body, signature) is None
    carried = json_payload(body, signature, 10**6).carried
    assert carried is not None
    assert list(carried["id"]) == [2**64]


def test_columns_without_names_go_by_their_places() -> None:
    signature = compile_signature({"inputs": '[{"type": "long"}, {"type": "string"}]'}, False)
    assert is_read_fast(split(["x", "y"], [["1", '"a"'], ["2", '"b"']]), signature)
    assert fast(split(["x"], [["1"]]), signature) is None


def test_names_and_texts_that_look_like_structure() -> None:
    names = [",", "}],[{", ":", "ü", "a" * 300]
    inputs = [{"name": name, "type": "string"} for name in names]
    signature = compile_signature({"inputs": json.dumps(inputs)}, False)
    rows = [['"1"', '"{,}"', '"]"', '"a:"', "null"]] * 2
    assert is_read_fast(split(names, rows, " "), signature)


def test_without_simdjson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsed_body, "AVAILABLE", False)
    assert fast(b'{"inputs": [1]}', tensor("float64", -1)) is None


def columns(*types: str) -> Signature:
    inputs = [{"name": name, "type": kind} for name, kind in zip("abcdefgh", types, strict=False)]
    return compile_signature({"inputs": json.dumps(inputs)}, False)


def tensor(dtype: str, *shape: int) -> Signature:
    spec = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}
    return compile_signature({"inputs": json.dumps([spec])}, False)


NUMERIC = {
    "doubles": columns("double", "double"),
    "mixed": columns("long", "float"),
    "integers": columns("integer", "integer"),
    "float tensor": tensor("float32", -1, 2),
    "integer tensor": tensor("uint8", -1, 2),
    "vector": tensor("float64", -1),
    "params": compile_signature(
        {
            "inputs": '[{"name": "a", "type": "double"}, {"name": "b", "type": "double"}]',
            "params": '[{"name": "p", "type": "long", "default": 1, "shape": null}]',
        },
        False,
    ),
}


@needs_simdjson
@pytest.mark.parametrize(
    ("signature", "body", "array"),
    [
        ("vector", '{"inputs": [1, 2.5]}', [1.0, 2.5]),
        ("float tensor", '{"instances": [[1, -0.0]]}', [[1.0, -0.0]]),
        ("integer tensor", '{"inputs": [[1, 2], [3, 4]]}', [[1, 2], [3, 4]]),
        ("doubles", '{"dataframe_split": {"columns": ["b", "a"], "data": [[1, 2]]}}', [[2.0, 1.0]]),
        (
            "doubles",
            '{"dataframe_split": {"data": [[1, -0.0]], "columns": ["a", "b"]}}',
            [[1.0, -0.0]],
        ),
    ],
)
def test_numbers_are_read_fast(signature: str, body: str, array: list[Any]) -> None:
    payload = fast(body.encode(), NUMERIC[signature])
    assert payload is not None
    assert repr(np.asarray(payload.data).tolist()) == repr(array)
    if isinstance(payload.data, np.ndarray):  # models may change their input
        assert payload.data.flags.writeable
    assert is_read_fast(body.encode(), NUMERIC[signature])


@pytest.mark.parametrize(
    "body",
    [
        "[1]",
        "1",
        "{",
        "{}",
        "\ufeff{}",
        '{"inputs": 1}',
        '{"inputs": []}',
        '{"inputs": [[]]}',
        '{"inputs": [[[1], [2]], [3, 4]]}',
        '{"inputs": [[1, 2], [3]]}',
        '{"inputs": [[1], [2, 3], [4, 5]]}',
        '{"inputs": [[1, 2], [3], [4, 5, 6]]}',
        '{"inputs": [[1, 2], 3, 4]}',
        '{"inputs": [1, null]}',
        '{"inputs": [true]}',
        '{"inputs": ["1"]}',
        '{"inputs": [{"a": 1}]}',
        '{"inputs": {"a": [1]}}',
        '{"inputs": [1e400]}',
        '{"inputs": [NaN]}',
        '{"inputs": [100000000000000000000]}',
        '{"inputs": [1], "inputs": [2]}',
        '{"inputs": [1], "params": {}}',
        '{"other": [1]}',
        f'{{"inputs": {"[" * 40}1{"]" * 40}}}',
        f'{{"inputs": {"[" * 2000}1{"]" * 2000}}}',
        '{"dataframe_split": {"columns": ["a"], "data": [[1]]}}',
    ],
)
def test_tensors_left_to_the_plain_way(body: str) -> None:
    assert fast(body.encode(), NUMERIC["vector"]) is None


@needs_simdjson
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("doubles", '{"inputs": [[1, 2]]}'),
        ("integers", '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2.5]]}}'),
        ("vector", '{"inputs": [[1]]}'),
        ("doubles", '{"dataframe_split": {"columns": ["a", "c"], "data": [[1, 2]]}}'),
        ("doubles", '{"dataframe_split": {"columns": ["a"], "data": [1]}}'),
        ("doubles", '{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}'),
        ("doubles", '{"dataframe_split": {"columns": ["a", "],["], "data": [[1, 2], [3, 4]]}}'),
    ],
)
def test_numbers_that_do_not_fit(name: str, body: str) -> None:
    assert not is_read_fast(body.encode(), NUMERIC[name])


@needs_simdjson
@pytest.mark.parametrize(
    "table",
    [
        '{"columns": ["a", "b"], "data": [[1, 2]], "index": [7]}',
        '{"columns": {"a": 1, "b": 2}, "data": [[1, 2]]}',
        '{"columns": ["a", "b"], "data": {"a": [1, 2]}}',
        '{"columns": ["a", "a"], "data": [[1, 2]]}',
        '{"columns": ["a", ["b"]], "data": [[1, 2]]}',
    ],
)
def test_other_tables_of_numbers(table: str) -> None:
    assert read_numbers(f'{{"dataframe_split": {table}}}'.encode(), DOUBLES) is None


SCALARS = st.one_of(
    st.integers(-(2**65), 2**65),
    st.integers(-3, 300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([None, True, "1", "a,b", 1e39, 0.0, -0.0, 2.0]),
)
NUMBERS = st.one_of(st.integers(-3, 300), st.floats(-1e6, 1e6), st.integers(0, 2**62))
ROWS = st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=4)
DATA = st.one_of(ROWS, st.lists(st.lists(SCALARS, max_size=3), max_size=4), st.lists(NUMBERS))
HEADERS = st.one_of(
    st.permutations(["a", "b"]), st.lists(st.sampled_from(["a", "b", "],[", 0]), max_size=3)
)
BODIES = st.one_of(
    st.builds(lambda form, data: {form: data}, st.sampled_from(["inputs", "instances"]), DATA),
    st.builds(lambda n, data: {"dataframe_split": {"columns": n, "data": data}}, HEADERS, DATA),
    st.builds(lambda n, data: {"dataframe_split": {"data": data, "columns": n}}, HEADERS, DATA),
)


@needs_simdjson
@pytest.mark.parametrize("name", NUMERIC)
def test_plain_numbers_are_read_fast(name: str) -> None:
    signature = NUMERIC[name]
    rows: list[Any] = [1, 2] if name == "vector" else [[1, 2], [3, 4]]
    table = {"dataframe_split": {"columns": ["a", "b"], "data": rows}}
    body = json.dumps(
        {"inputs": rows} if isinstance(signature, TensorSignature) else table
    ).encode()
    assert is_read_fast(body, signature)


@pytest.mark.parametrize(
    "signature",
    [
        compile_signature(None, False),
        columns("double", "string"),
        tensor("str", -1),
        compile_signature({"inputs": '[{"name": "a", "type": "double"}]'}, True),
    ],
    ids=["none", "text", "text tensor", "type hint"],
)
def test_models_that_take_other_than_numbers(signature: Signature) -> None:
    assert signature.numbers is None


@pytest.mark.parametrize(
    ("signature", "cells", "least"),
    [
        (columns("double", "double"), [1, 2], 2048),
        (tensor("float64", -1, 2), None, 2048),
        (columns("double", "string"), [1, "x"], 32 * 1024),
    ],
    ids=["numbers", "a tensor", "mixed"],
)
def test_from_which_size_on_a_fast_way_pays(
    signature: Signature, cells: list[Any] | None, least: int
) -> None:
    table = {"columns": ["a", "b"], "data": [cells]}
    body = json.dumps({"dataframe_split": table} if cells else {"inputs": [[1, 2]]}).encode()
    assert read_fast(body.ljust(least - 1), signature) is None
    assert read_fast(body.ljust(least), signature) is not None


def test_a_large_body() -> None:
    rows = [[i, i / 4] for i in range(300)]
    body = json.dumps({"dataframe_split": {"columns": ["a", "b"], "data": rows}}).encode()
    assert len(body) > LEAST
    payload = json_payload(body, NUMERIC["mixed"], 10**6)
    assert payload.data["a"].tolist() == [row[0] for row in rows]
    assert payload.data["b"].tolist() == [row[1] for row in rows]
    assert [str(dtype) for dtype in payload.data.dtypes] == ["int64", "float32"]


@st.composite
def bodies_of_tables(draw: st.DrawFn) -> tuple[Signature, bytes]:
    signature, names, rows = draw(tables(PYTHON_CELLS))
    space = draw(st.sampled_from(["", " ", "\n  "]))
    writer = draw(st.sampled_from(sorted(WRITERS)))
    return signature, WRITERS[writer](names, rows, space)


@st.composite
def bodies_with_further_columns(draw: st.DrawFn) -> tuple[Signature, bytes]:
    signature, names, rows = draw(tables(PYTHON_CELLS))
    further = [*AS_SENT, *(cell for plain, odd in PYTHON_CELLS.values() for cell in plain + odd)]
    few = st.sampled_from([further, draw(st.sampled_from([*PYTHON_CELLS.values()]))[0]])
    cells = draw(st.lists(st.sampled_from(draw(few)), min_size=len(rows), max_size=len(rows)))
    place = draw(st.integers(0, len(names)))
    names = [*names[:place], "id", *names[place:]]
    rows = [[*row[:place], cell, *row[place:]] for row, cell in zip(rows, cells, strict=True)]
    include = draw(st.sampled_from([ALL, ("id",), ("id", "c0"), ("c0",)]))
    writer, space = draw(st.sampled_from(sorted(WRITERS))), draw(st.sampled_from(["", " "]))
    return including(signature, include), WRITERS[writer](names, rows, space)


AS_SENT = [
    '{"a": 1}',
    '{"a": "b,c"}',
    f"{2**64 - 1}",
    f"{2**64}",
    "9007199254740993.0",
    '"_"',
    "-0",
]
"""Further cells of columns that the model does not take."""


bodies_of_numbers = st.tuples(
    st.sampled_from([*NUMERIC.values()]), st.builds(lambda body: json.dumps(body).encode(), BODIES)
)


@st.composite
def bodies_of_csv(draw: st.DrawFn) -> tuple[Signature, bytes]:
    signature, names, rows = draw(tables(CSV_CELLS, *draw(st.sampled_from([[], ["string"]]))))
    lines = [",".join(row) for row in [names, *rows]]
    if draw(st.sampled_from([False, False, True])):  # a line that is longer or shorter
        place = draw(st.integers(0, len(lines) - 1))
        more = draw(st.sampled_from([",", "x", '"', " ", ""]))
        lines[place] = lines[place][: draw(st.integers(0, len(lines[place])))] + more
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = newline.join(lines) + newline * draw(st.sampled_from([0, 1, 2]))
    assume(is_csv(text))
    return signature, text.encode()


def is_csv(text: str) -> bool:
    try:
        return bool(list(csv.reader(io.StringIO(text, newline=""), strict=True)))
    except csv.Error:
        return False


WAYS_TO_READ = [way for way, (place, _) in WAYS.items() if not place.startswith("scoring.")]
"""The others are ways to predict: tests/scoring/test_ways.py."""


@pytest.mark.parametrize(
    ("media_type", "bodies", "spaces"),
    [
        (JSON, bodies_of_tables(), b""),
        (JSON, bodies_of_tables(), SPACES),
        (JSON, bodies_with_further_columns(), b""),
        (JSON, bodies_with_further_columns(), SPACES),
        (JSON, bodies_of_numbers, b""),
        (JSON, bodies_of_numbers, SPACES),
        (CSV, bodies_of_csv(), b""),
    ],
    ids=["tables", "large tables", "further", "large further", "numbers", "large numbers", "CSV"],
)
@given(data=st.data())
@settings(max_examples=2 * settings().max_examples, suppress_health_check=[HealthCheck.too_slow])
def test_a_body_means_the_same_without_each_way(
    media_type: str, bodies: Any, spaces: bytes, data: st.DataObject
) -> None:
    signature, body = data.draw(bodies)
    expected = outcome(media_type, body, signature)
    for way in (None, *WAYS_TO_READ):
        with switched_off(way):
            assert (way, outcome(media_type, body + spaces, signature)) == (way, expected)
