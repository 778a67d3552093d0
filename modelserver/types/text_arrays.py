"""Nested arrays with texts among their elements, for which NumPy reserves the room of the longest
text in each.

In: nested arrays of JSON values. `has_texts` says whether they need care, `as_array` reads them
without such room, and `refuse_wide` refuses those for which it would be too much; `refuse_many`
does so before others become texts.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from modelserver.errors import InvalidInput

MOST_ROOM: Final = 2**30
"""The most bytes that NumPy may reserve for an array of texts."""

WIDTH_OF_OTHERS: Final = 32
"""How many letters NumPy reserves at most for a number beside texts."""


def has_texts(value: Any) -> bool:
    """Whether there is a text among the elements of nested lists."""
    if not isinstance(value, (list, tuple)):
        return isinstance(value, str)
    types = set(map(type, value))
    return str in types or (list in types and any(map(has_texts, value)))


def as_array(value: Any) -> NDArray[Any]:
    """The elements in the shape of the nested lists; as objects if there are texts among them.
    Raises `ValueError` if they are ragged or nested too deeply."""
    if not has_texts(value):
        return np.asarray(value)
    array = np.asarray(value, object)
    if list in set(map(type, array.ravel().tolist())):
        raise ValueError("ragged")
    return array


def refuse_many(count: int, label: str, dtype: "np.dtype[Any]") -> None:
    """Raises `InvalidInput` if `refuse_wide` will refuse so many elements, however short they are:
    a text takes much more memory than the number from which it is made."""
    if dtype.kind in "US" and 4 * WIDTH_OF_OTHERS * count > MOST_ROOM:
        raise InvalidInput(
            f"{label} is too large: it has {count} elements, and may have "
            f"{MOST_ROOM // (4 * WIDTH_OF_OTHERS)} texts"
        )


def refuse_wide(value: Any, label: str, dtype: "np.dtype[Any]") -> None:
    """Raises `InvalidInput` if NumPy would reserve too much room for an array of these elements, as
    texts or bytes."""
    if dtype.kind not in "US":
        return
    elements = np.asarray(value, object).ravel().tolist()
    longest = max((len(element) for element in elements if isinstance(element, str)), default=0)
    if 4 * max(longest, WIDTH_OF_OTHERS) * len(elements) > MOST_ROOM:
        raise InvalidInput(
            f"{label} is too large: it has {len(elements)} elements, and a text of {longest} "
            f"letters, and all have the room of the longest: more than {MOST_ROOM} bytes"
        )
