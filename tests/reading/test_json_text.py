"""JSON bodies to Python values: what is understood, and how the rest is refused."""

import json
import math
from typing import Any

import pytest

from modelserver.errors import BadRequest
from modelserver.reading import json_text
from modelserver.reading.json_text import (
    BY_PYTHON,
    BareConstants,
    decode_constants,
    decode_exactly,
    decode_json,
    fast_nulls,
    may_repeat_keys,
)
from modelserver.types.cell_parsers import WholeFloat


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, null, true, "\\u00fc"]}', {"a": [1, 2.5, None, True, "ü"]}),
        (b" \n[] ", []),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "ü"}'.encode("utf-16"), {"a": "ü"}),
        ('{"a": "ü"}'.encode("utf-32-be"), {"a": "ü"}),
        (b"1", 1),
        (b'{"a": "b: c"}', {"a": "b: c"}),
        (b'{"a":"b\\":c"}', {"a": 'b":c'}),
        (b'{"a" :"b\\":c"}', {"a": 'b":c'}),
        (b'[{"a": {"b": [1, {"c": 2}, [{"c": 3}]]}}]', [{"a": {"b": [1, {"c": 2}, [{"c": 3}]]}}]),
        (b'{"a": {"x": 1}, "b": {"x": 1}}', {"a": {"x": 1}, "b": {"x": 1}}),
        (b'[{"a": 1}, 2]', [{"a": 1}, 2]),
        (b"9223372036854775807", 2**63 - 1),
        (b"18446744073709551616", 2.0**64),
    ],
    ids=repr,
)
def test_json(body: bytes, value: Any) -> None:
    decoded = decode_json(body)
    assert (decoded, type(decoded)) == (value, type(value))


@pytest.mark.parametrize("integer", [2**70, -(2**63) - 1, 10**300])
def test_integers_of_any_size_stay_whole_where_asked(integer: int) -> None:
    assert decode_json(b"[%d, 0.5]" % integer, exact_integers=True) == [integer, 0.5]


INVALID = "the body is not valid JSON: "
EMPTY = "the body is empty; send a table or an array of inputs"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", EMPTY),
        (b" \r\n\t", EMPTY),
        (
            b'["a",\n "\xff"]',
            "the body is not UTF-8 text: byte 8 (line 2, column 3); save it as UTF-8",
        ),
        (
            b'["\xed\xa0\x80"]',
            "the body is not UTF-8 text: byte 2 (line 1, column 3); save it as UTF-8",
        ),
        ("[1]".encode("utf-16")[:-1], "the body is not valid UTF-16 text"),
        (b"\x00\x00\x00[\x00\x11\x00\x00", "the body is not valid UTF-32-BE text"),
        (b'{"a": 1, "a": 2}', "the key 'a' is given twice in one JSON object"),
        (b'[{"b": {"a": 1, "\\u0061": ":"}}]', "the key 'a' is given twice in one JSON object"),
        (b'{"a": 1, "a"\n: 2}', "the key 'a' is given twice in one JSON object"),
        (
            b'{"%s":1,"%s":1}' % ((b"x" * 81,) * 2),
            f"the key '{'x' * 79}…' is given twice in one JSON object",
        ),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, bytes) else "",
)
def test_refused_bodies(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        decode_json(body)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("body", "may"),
    [
        (b"1", False),
        (b"[]", False),
        (b'{"a": 1, "b": {"c": 2}}', False),
        (b'[{"a": 1}, 5, {"a": 2}]', False),
        (b'{"a":"b:c","d":1}', False),
        (b'{"a" :"b:c"}', False),
        (b'{"a": [1, {"b": 2}, [{"c": 3}]]}', False),
        (b'[1, {"a": 2}]', False),
        (b'[[{"a": 2}, 1], {"b": 3}]', False),
        (b'{"a": ":"}', True),
        (b'{"a":"b\\":c"}', True),
        (b'{"a": " :c"}', True),
        (b'{"a": 1, "a": 2}', True),
        (b'{"a":1,"a" :2}', True),
        (b'{"a": {"b": 1, "b": 2}}', True),
        (b'[{"a": 1, "a": 1}, {"b": 1}]', True),
        (b'[[{"a": 1, "a": 1}]]', True),
        (b'[1, {"a": [{"b": 1, "b": 2}]}]', True),
    ],
    ids=repr,
)
def test_keys_are_looked_at_closely_only_where_one_may_be_lost(body: bytes, may: bool) -> None:
    assert may_repeat_keys(body, json.loads(body)) is may


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"\xef\xbb\xbf", "line 1, column 1"),
        (b'{"a": [1, 2', "line 1, column 12"),
        (b"a,b\n1,2\n", "line 1, column 1"),
        (b'{"a": 1}\n{"a"', "line 2, column 1"),
        (b"[1e400]", "line 1, column 2"),
        (b"[" + b"9" * 5000 + b"]", "line 1, column 2"),
        (b'["\\ud800"]', "line 1, column "),
        (b"[" * 100_000, "line 1, column 102"),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else "",
)
def test_what_is_not_json_is_refused_by_its_place(body: bytes, place: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        decode_json(body)
    # In between are orjson's words, which change with its version.
    assert refusal.value.message.startswith(INVALID)
    assert f" at {place}" in refusal.value.message


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    "inner", [b"1234567890123456789", b'{"a": 1, "a": 2}', b'{"a": ":"}'], ids=repr
)
def test_a_thousand_levels_are_read_or_refused(inner: bytes, exact: bool) -> None:
    try:
        value = decode_json(b"[" * 1000 + inner + b"]" * 1000, exact)
    except BadRequest as error:
        assert error.message == f"{INVALID}nested too deeply"  # noqa: PT017
    else:
        assert isinstance(value, list)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": NaN}', "{'a': nan}"),
        (b"[-Infinity, Infinity,NaN]", "[-inf, inf, nan]"),
        (b'{"NaN": "a, NaN, Infinity", "b": NaN}', "{'NaN': 'a, NaN, Infinity', 'b': nan}"),
        (b'["\\"NaN", NaN]', "['\"NaN', nan]"),
        (b"\xef\xbb\xbf[NaN]", "[nan]"),
        ("[NaN]".encode("utf-16"), "[nan]"),
        (b"[NaN, 18446744073709551616]", "[nan, 18446744073709551616]"),
    ],
    ids=repr,
)
def test_constants_of_pythons_json_module(body: bytes, value: str) -> None:
    with pytest.raises(BareConstants):
        decode_json(body)
    assert repr(decode_constants(body)) == value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[NaN,]", " at line 1, column 5"),
        (b'{"a": NaN, "a": 1}', "the key 'a' is given twice in one JSON object"),
        (b'[NaN, "\\ud800"]', "at line 1, column "),
        (b"[-NaN]", f"{INVALID}Expecting value at line 1, column 2"),
        (b"[1NaN]", f"{INVALID}Expecting ',' delimiter at line 1, column 3"),
        (b"[nan, NaN]", " at line 1, column 2"),
        (b'["\\u000NaN"]', " at line 1, column 4"),
        (
            b'[NaN, "\xff"]',
            "the body is not UTF-8 text: byte 7 (line 1, column 8); save it as UTF-8",
        ),
    ],
    ids=repr,
)
def test_what_is_no_json_beside_constants(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        decode_constants(body)
    assert message in refusal.value.message  # orjson's words change with its version


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[1, NaN, NaN]", b"[1, null, null]"),
        (b'["NaN", NaN, "a \\" NaN", NaN]', b'["NaN", null, "a \\" NaN", null]'),
        (b'["\\\\", NaN, "\\\\\\" NaN"]', b'["\\\\", null, "\\\\\\" NaN"]'),
        (b'["NaN"]', None),
        (b"[Infinity]", None),
        ("[NaN]".encode("utf-16"), b"[null]"),
    ],
    ids=repr,
)
def test_nan_as_null(body: bytes, expected: bytes | None) -> None:
    assert fast_nulls(body) == expected


@pytest.mark.parametrize(("more", "is_fast"), [(0, True), (1, False)])
def test_how_many_nans_are_replaced(more: int, is_fast: bool) -> None:
    body = b"[" + b"NaN," * (100_000 + more) + b"1]"
    assert (fast_nulls(body) is not None) is is_fast
    assert (fast_nulls(body + b" " * 500_000) is not None) is True
    assert math.isnan(decode_constants(body)[-2])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9007199254740993.5", 9007199254740994.0),
        ("4503599627370497.5", 4503599627370497.5),
        ("1e300", 1e300),
        ("1.0", 1.0),
        ("Infinity", float("inf")),
    ],
)
def test_other_numbers_are_read_as_before(text: str, value: Any) -> None:
    (decoded,) = decode_exactly(f"[{text}]".encode())
    assert (decoded, type(decoded)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("9007199254740992.0", 9007199254740992),
        ("9007199254740993.0", 9007199254740993),
        ("-9.007199254740993e15", -9007199254740993),
        ("1e18", 10**18),
    ],
)
def test_whole_floats_with_all_their_digits(text: str, whole: int) -> None:
    (decoded,) = decode_exactly(f"[{text}]".encode())
    assert (type(decoded), decoded.whole) == (WholeFloat, whole)
    assert decoded == float(text)


@pytest.mark.parametrize(
    "body",
    [
        str({"a": [1, "x"]}),
        '{"ü": None}',
        '{"ü": [1, True]}',
        '{"a": False}',
        '{"a": nan}',
        '{"a": [1.5, inf]}',
        "{'a': NaN}",
        '{"a": undefined}',
    ],
)
def test_what_python_writes_is_told(body: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        decode_json(body.encode())
    assert refusal.value.message.startswith(INVALID)
    assert refusal.value.message.endswith(BY_PYTHON)


@pytest.mark.parametrize("body", ['{"a": nothing}', '{"a": 1,}', '{"a": "None" b}', '{"a": Nonee}'])
def test_other_faults_are_not_called_pythons(body: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        decode_json(body.encode())
    assert "json.dumps" not in refusal.value.message


@pytest.fixture
def few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MOST_PARTS", 4)


@pytest.mark.usefixtures("few_parts")
@pytest.mark.parametrize(
    "body",
    [b"[[],[],[],[]]", b"[{},{},{},{}]", b"[[[[[]]]]]", '[{},[],"ü",{},[]]'.encode("utf-16")],
)
def test_too_many_arrays_and_objects_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="more than 4 arrays and objects"):
        decode_json(body)


@pytest.mark.usefixtures("few_parts")
@pytest.mark.parametrize(
    "value",
    [
        [[], {}, []],
        ["[[{{", "[[{{"],
        ['\\"[', "[[\\", "{\\\\", '"{{"'],
        {"[[[": '"', "]": ["{{{", {"a": []}]},
        [[], {"a": "[[[[ four of 40 bytes are brackets"}, []],
        [{"a": 0} for _ in range(20)],  # one in 9 bytes
    ],
    ids=repr,
)
def test_other_bodies_may_have_many_brackets(value: Any) -> None:
    body = json.dumps(value, ensure_ascii=False).encode()
    assert sum(map(body.count, b"[{")) >= 4
    assert decode_json(body) == value


def test_the_shortest_records_of_one_column_fill_a_body_of_the_usual_limit() -> None:
    most = json_text.MOST_PARTS
    assert 100 * 1024 * 1024 // len('{"a":1},') < most
