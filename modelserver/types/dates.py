"""The parser of date-times: ISO 8601 text, or dates of NumPy, pandas, Arrow and Python.

In: the cells of a column, as for all parsers (`cell_parsers.py`). Out: an array of moments in
nanoseconds, in UTC and without a time zone, as MLflow hands them to a model. Raises `Unfit`.
Numbers are refused as dates: whether they count days, seconds or milliseconds would be a guess.
"""

import re
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from modelserver.types.cell_parsers import TEXT_TYPES, flat
from modelserver.types.kind import Array, Cells, Unfit, what_is

NO_DATE: Final = "text that is no possible date (ISO 8601, 1677 to 2262)"

NO_ISO_DATE: Final = "text that is no ISO 8601 date"

DAY_OR_MONTH: Final = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{2,4}(?!\d)", re.ASCII)

MISTAKEN: Final = "a date whose day and month may be confused (write YYYY-MM-DD)"

FAR_DATE: Final = "a date outside of 1677 to 2262"

USUAL: Final = str.maketrans("tz,", "TZ.")

VARIANTS: Final = "tz,"

TOO_FINE: Final = "a time finer than nanoseconds"


def _iso(fraction: str) -> re.Pattern[str]:
    """The pattern of a date or a date-time with 0 behind it. `fraction`: how many digits may stand
    after the seconds. Blanks may stand where programs write them: one before the time zone, and any
    number at the end of a time."""
    digits = "[0-9]{2}"
    time = f"{digits}(?::{digits}(?::{digits}(?:[.,][0-9]{fraction})?)?)?"
    zone = rf"(?: ?(?:[Zz]|[+-]{digits}(?::?{digits})?))?"
    return re.compile(rf"[0-9]{{4}}-{digits}-{digits}(?:[Tt ]{time}{zone}\s*)?\0", re.ASCII)


ISO: Final = _iso("{1,9}")

TOO_FINE_ISO: Final = _iso("{10,}")

NUMBERS: Final = frozenset({"an integer", "a number"})

NUMBER_FOR_DATE: Final = "{}, which is no date (pandas: date_format='iso')"


def datetimes(cells: Cells) -> Array:
    """The parser of dates and date-times (ISO 8601)."""
    if getattr(getattr(cells, "dtype", None), "kind", None) == "M":
        return _nanoseconds(pd.DatetimeIndex(cells))
    if len(cells) == 0:
        return np.empty(0, "M8[ns]")
    if _are_plain(cells):
        return _fast_dates(cells)
    if set(map(type, cells)) <= TEXT_TYPES:
        return _iso_dates(_checked(list(cells)))
    array = flat(cells)
    if array.dtype.kind == "M":
        return _nanoseconds(pd.DatetimeIndex(array))
    if array.dtype.kind == "O" and all(isinstance(value, date) for value in array):
        return _iso_dates([*map(str, array)], FAR_DATE)
    found = what_is(cells[0])
    raise Unfit(NUMBER_FOR_DATE.format(found) if found in NUMBERS else found)


def _checked(texts: list[str]) -> list[str]:
    """The texts as pandas reads them: with T, Z and a decimal point in place of t, z (RFC 3339) and
    a decimal comma (ISO 8601). Raises `Unfit` unless each is a date or a date-time of ISO 8601 with
    all its digits, hyphens and colons: pandas accepts more, such as a year alone, "now", 12:0, and
    digits beyond nanoseconds, which it drops."""
    together = "\0".join(texts) + "\0"
    rest = ISO.sub("", together)
    if rest or together.count("\0") != len(texts):
        mistaken = MISTAKEN if DAY_OR_MONTH.match(texts[0]) else NO_ISO_DATE
        raise Unfit(TOO_FINE if TOO_FINE_ISO.match(rest) else mistaken)
    has_variants = any(variant in together for variant in VARIANTS)
    return together.translate(USUAL).split("\0")[:-1] if has_variants else texts


def _iso_dates(texts: list[str], impossible: str = NO_DATE) -> Array:
    try:
        return _nanoseconds(pd.to_datetime(texts, format="ISO8601", utc=True))
    except ValueError as error:
        raise Unfit(impossible) from error


def _nanoseconds(index: pd.DatetimeIndex) -> Array:
    """The date-times in UTC, without a time zone, in nanoseconds. Raises `Unfit` for years that
    nanoseconds cannot reach."""
    naive = index.tz_convert(None) if index.tz is not None else index
    try:
        return naive.as_unit("ns").to_numpy()
    except ValueError as error:
        raise Unfit(FAR_DATE) from error


def _are_plain(cells: Cells) -> bool:
    """Whether all cells are texts of the form of `PLAIN`, with the same length, and years that
    nanoseconds can reach."""
    if not isinstance(cells, (list, tuple)) or not isinstance(cells[0], str):
        return False
    length = len(cells[0])
    if length not in PLAIN_LENGTHS or set(map(type, cells)) != {str}:
        return False
    text = "".join(cells)
    if set(map(len, cells)) != {length} or not text.isascii():
        return False
    letters, plain = np.frombuffer(text.encode(), np.uint8).reshape(-1, length), PLAIN[:length]
    shaped = np.where(plain == ord("0"), letters - ord("0") < 10, letters == plain)
    if length > 10:
        shaped[:, 10] |= letters[:, 10] == ord(" ")
    years = (letters[:, :4] - ord("0")) @ np.array([1000, 100, 10, 1])
    return bool(shaped.all() and ((years >= 1678) & (years <= 2261)).all())


PLAIN: Final = np.frombuffer(b"0000-00-00T00:00:00.000000000", np.uint8)
"""The form of a date-time without a time zone; each 0 stands for a digit."""

PLAIN_LENGTHS: Final = frozenset({10, 16, 19, *range(21, 30)})


def _fast_dates(cells: Cells) -> Array:
    """A fast way to parse texts of the form of `PLAIN`: NumPy gives the same as the plain way,
    `_iso_dates`, in a fifth of the time."""
    try:
        return np.array(cells, "M8[ns]")
    except ValueError as error:
        raise Unfit(NO_DATE) from error
