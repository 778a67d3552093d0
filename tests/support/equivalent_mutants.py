"""Mistakes that are none: the code does the same with them. Read by `tests/support/mutate.py`."""

from typing import Final

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {}
"""By module, line, and the line with the mistake in it: why nobody can notice it."""
