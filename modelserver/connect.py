"""Posit Connect: whether this process is content of it.

In: environment variables. The marker is the product's own variable, as in Posit's SDK;
`CONNECT_SERVER` alone says nothing, since people set it on their own machines for rsconnect.
"""

from collections.abc import Mapping
from typing import Final

MARKERS: Final = ("POSIT_PRODUCT", "RSTUDIO_PRODUCT")
"""The second is the name that older versions of Connect set."""


def is_connect(environment: Mapping[str, str]) -> bool:
    """Whether Connect started this process."""
    return any(environment.get(name) == "CONNECT" for name in MARKERS)
