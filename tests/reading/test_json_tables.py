"""Tables of plain cells: what is read at once, and that it is what is read otherwise."""

import contextlib
import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from modelserver.errors import ApiError
from modelserver.reading import csv_reader, json_reader
from modelserver.reading.fast import cells_by_arrow as arrow_cells, json_numbers as numeric
from modelserver.reading.fast.json_tables import read_mixed
from modelserver.reading.formats import CSV, FORMATS, JSON
from modelserver.reading.json_reader import _read_mixed
from modelserver.reading.signatures.compiling import compile_signature
from modelserver.reading.signatures.signature import Payload, Signature
from tests.reading.test_properties import repeatable
from tests.support.zoo import describe

pytestmark = pytest.mark.skipif(
    not (numeric.AVAILABLE and arrow_cells.AVAILABLE), reason="pysimdjson or pyarrow is missing"
)

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
        ['a"b', '"a"b', '"', "0x5", "\0", "\\", "'", '"a" '],
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


def signature_of(types: list[str], required: list[bool]) -> Signature:
    inputs = [
        {"name": f"c{place}", "type": kind, "required": need}
        for place, (kind, need) in enumerate(zip(types, required, strict=True))
    ]
    return compile_signature({"inputs": json.dumps(inputs)}, False)


@st.composite
def tables(
    draw: st.DrawFn, known: dict[str, tuple[list[str], list[str]]]
) -> tuple[Signature, list[str], list[list[str]]]:
    """A signature with texts, the names of a table's columns, and its rows."""
    types = ["string", *draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=4))]
    required = [draw(st.booleans()) for _ in types]
    order = draw(st.permutations(range(len(types))))
    odd = draw(st.sampled_from([0, 0, 1]))
    cells = [
        st.sampled_from(known[types[place]][0] + known[types[place]][1] * odd) for place in order
    ]
    rows = draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=5))
    return signature_of(types, required), [f"c{place}" for place in order], rows


def outcome(media_type: str, body: bytes, signature: Signature) -> Any:
    """What the ordinary reader makes of it."""
    assert len(body) < json_reader.MANY_CELLS
    try:
        return account(FORMATS[media_type].read(body, signature, 10**6))
    except ApiError as error:
        return error.message, error.details


def account(payload: Payload) -> Any:
    return describe(payload.data), payload.params, payload.rows, payload.typed, payload.wrapped


def json_body(
    names: list[str], rows: list[list[str]], space: str = "", data_first: bool = False
) -> bytes:
    comma = "," + space
    data = comma.join(f"[{space}{comma.join(row)}]" for row in rows)
    header = json.dumps(names, ensure_ascii=False)
    parts = [f'"columns":{space}{header}', f'"data":{space}[{data}]']
    if data_first:
        parts.reverse()
    return f'{{"dataframe_split":{space}{{{comma.join(parts)}}}}}'.encode()


def records_body(names: list[str], rows: list[list[str]], space: str = "") -> bytes:
    comma = "," + space
    keys = [f"{json.dumps(name, ensure_ascii=False)}:{space}" for name in names]
    data = comma.join(
        f"{{{space}{comma.join(map(''.join, zip(keys, row, strict=True)))}}}" for row in rows
    )
    return f'{{{space}"dataframe_records":{space}[{data}]}}'.encode()


WRITERS: dict[str, Callable[[list[str], list[list[str]], str], bytes]] = {
    "split": json_body,
    "data first": lambda names, rows, space: json_body(names, rows, space, data_first=True),
    "records": records_body,
}


@pytest.mark.parametrize("form", WRITERS)
@given(table=tables(JSON_CELLS), space=st.sampled_from(["", " ", "\n  "]))
@repeatable
def test_json_is_read_as_otherwise(form: str, table: Any, space: str) -> None:
    signature, names, rows = table
    body = WRITERS[form](names, rows, space)
    found = _read_mixed(body, signature)
    if found is not None:
        assert account(found) == outcome(JSON, body, signature)


@pytest.mark.parametrize("form", WRITERS)
@given(table=tables(JSON_CELLS), data=st.data())
@repeatable
def test_damaged_json_is_read_as_otherwise(form: str, table: Any, data: st.DataObject) -> None:
    signature, names, rows = table
    body = WRITERS[form](names, rows, "")
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
    damages = [b"", b"]", b"[", b",", b'"', b"}", b"],[", b" ", b'"c1":', b"c", b"0", b"},{"]
    damage = data.draw(st.sampled_from(damages))
    body = body[:start] + damage + body[min(end, start + 3) :]
    found = _read_mixed(body, signature)
    if found is not None:
        assert account(found) == outcome(JSON, body, signature)


TYPES = ["double", "long", "boolean", "string", "datetime", "binary", "float", "integer"]
NAMES = [f"c{place}" for place in range(len(TYPES))]


@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("form", WRITERS)
def test_plain_json_is_read_at_once(form: str, space: str) -> None:
    rows = [
        [JSON_CELLS[kind][0][row % len(JSON_CELLS[kind][0])] for kind in TYPES] for row in range(9)
    ]
    body = WRITERS[form](NAMES, rows, space)
    signature = signature_of(TYPES, [True] * 8)
    found = _read_mixed(body, signature)
    assert found is not None
    assert account(found) == outcome(JSON, body, signature)
    for place in range(len(TYPES)):  # models may change their input
        found.data.iloc[0, place] = found.data.iloc[1, place]


PAIR = signature_of(["long", "string"], [True, True])


@pytest.mark.parametrize(
    "body",
    [
        "[1]",
        "{",
        "{}",
        '{"inputs": [{"c0": 1, "c1": "a"}]}',
        '{"dataframe_records": []}',
        '{"dataframe_records": [{}]}',
        '{"dataframe_records": [[1, "a"]]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, []]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, {"c0": 1}]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, {"c1": "a", "c0": 1}]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, {"c0": 1, "c10": "a"}]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}, {"c0": 1, "c2": "a"}]}',
        '{"dataframe_records": [{"c0": 1, "c0": 1}]}',
        '{"dataframe_records": [{"c0": 1, "c1": "a"}], "params": {}}',
        '{"dataframe_records": [{"c0": 1, "c1": {"a": "b"}}]}',
        '{"dataframe_split": [[1, "a"]]}',
        '{"dataframe_split": {"data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": []}}',
        '{"dataframe_split": {"columns": [], "data": [[]]}}',
        '{"dataframe_split": {"columns": {"c0": 1}, "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": {"a": 1}}}',
        '{"dataframe_split": {"columns": ["c0", "c0"], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c2"], "data": [[1, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0"], "data": [[1]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"]], "index": [7]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"]]}, "params": {}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"], [2]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "a"], [2, "b", "c"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, "\\n"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1, 2]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [["1", "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[1.5, "a"]]}}',
        '{"dataframe_split": {"columns": ["c0", "c1"], "data": [[null, "a"]]}}',
    ],
)
def test_json_left_to_the_ordinary_reader(body: str) -> None:
    assert _read_mixed(body.encode(), PAIR) is None


def test_a_row_without_cells_in_a_table_of_one_column() -> None:
    signature = signature_of(["double"], [True])
    for rows in ([[], ["1"]], [["1"], []], [["1"], [], ["2"]]):
        body = json_body(["c0"], rows)
        assert _read_mixed(body, signature) is None
        assert "has 0 cells, expected 1" in outcome(JSON, body, signature)[0]


def test_minus_zero_as_an_integer() -> None:
    signature = signature_of(["double", "string"], [True, True])
    for cell, plain in {"-0": False, "-0.0": True, "-0e0": True, "-0.5": True}.items():
        for write in WRITERS.values():
            body = write(["c0", "c1"], [[cell, '"a"']], " ")
            found = _read_mixed(body, signature)
            assert (found is not None) is plain
            assert found is None or account(found) == outcome(JSON, body, signature)


@pytest.mark.parametrize(
    "body",
    [
        json_body([f"c{place}" for place in range(200_000)], [[]] * 200_000),
        b'{"dataframe_records":[{%s}%s]}'
        % (b",".join(b'"c%d":1' % place for place in range(200_000)), b",{}" * 200_000),
    ],
    ids=["split", "records"],
)
def test_bodies_that_claim_more_cells_than_they_hold(body: bytes) -> None:
    assert _read_mixed(body, PAIR) is None


def test_models_that_have_no_plain_cells() -> None:
    body = json_body(["c0", "c1"], [["1", "2"]])
    assert _read_mixed(body, compile_signature(None, False)) is None
    nested = '[{"name": "c0", "type": "long"}, {"name": "c1", "type": "any"}]'
    assert _read_mixed(body, compile_signature({"inputs": nested}, False)) is None
    assert _read_mixed(body, compile_signature({"inputs": nested}, True)) is None


def test_columns_without_names_go_by_their_places() -> None:
    inputs = '[{"type": "long"}, {"type": "string"}]'
    signature = compile_signature({"inputs": inputs}, False)
    body = json_body(["x", "y"], [["1", '"a"'], ["2", '"b"']])
    found = _read_mixed(body, signature)
    assert found is not None
    assert account(found) == outcome(JSON, body, signature)
    assert _read_mixed(json_body(["x"], [["1"]]), signature) is None


def test_names_that_look_like_structure() -> None:
    names = [",", "}],[{", ":", "ü", "a" * 300]
    inputs = [{"name": name, "type": "string"} for name in names]
    signature = compile_signature({"inputs": json.dumps(inputs)}, False)
    for write in WRITERS.values():
        body = write(names, [['"1"', '"{,}"', '"]"', '":"', "null"]] * 2, " ")
        if b"\\" not in body:
            found = _read_mixed(body, signature)
            assert found is not None
            assert account(found) == outcome(JSON, body, signature)


def test_numbers_and_gaps() -> None:
    signature = signature_of(["double", "double"], [True, True])
    for write in WRITERS.values():
        body = write(["c0", "c1"], [["1", "null"], ["2.5", "3"]], "")
        found = _read_mixed(body, signature)
        assert found is not None
        assert account(found) == outcome(JSON, body, signature)


def test_large_bodies_take_this_way(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def read_and_note(*arguments: Any) -> Any:
        seen.append(_read_mixed(*arguments))
        return seen[-1]

    monkeypatch.setattr(json_reader, "_read_mixed", read_and_note)
    for rows in (10, 10_000):
        body = json_body(["c0", "c1"], [["1", '"a"']] * rows)
        assert FORMATS[JSON].read(body, PAIR, 10**6).rows == rows
    assert len(seen) == 1
    assert seen[0] is not None


@given(
    table=tables(CSV_CELLS),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    end=st.sampled_from([0, 1, 2]),
    data=st.data(),
)
@repeatable
def test_csv_is_inferred_as_it_is_read_as_text(
    table: Any, newline: str, end: int, data: st.DataObject
) -> None:
    signature, names, rows = table
    lines = [",".join(row) for row in [names, *rows]]
    if data.draw(st.sampled_from([False, False, True])):  # a line that is longer or shorter
        place = data.draw(st.integers(0, len(lines) - 1))
        more = data.draw(st.sampled_from([",", "x", '"', " ", ""]))
        lines[place] = lines[place][: data.draw(st.integers(0, len(lines[place])))] + more
    text = newline.join(lines) + newline * end
    with contextlib.suppress(csv.Error):
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert_alike(text.encode(), signature)


def assert_alike(body: bytes, signature: Signature) -> None:
    found = outcome(CSV, body, signature)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reader, "TEXT_IS_OBJECT", True)  # so that texts are not inferred
        assert found == outcome(CSV, body, signature)


def test_what_the_signature_refuses_is_left() -> None:
    body = json_body(["c0", "c1"], [["99999999999", '"a"']])
    assert PAIR.kinds_of is not None
    assert read_mixed(body, PAIR.kinds_of) is not None
    assert _read_mixed(body, signature_of(["integer", "string"], [True, True])) is None
