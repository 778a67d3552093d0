"""Values in commands that a person pastes into a shell.

In: the name and value of an environment variable. Out: text that any POSIX shell takes as one
word. A value with a login or a query is not shown: the shell, or rsconnect, fills it in.
"""

import re
import shlex
from typing import Final

SECRET: Final = re.compile(r"//[^/]*@|[?#]")


def argument(name: str, value: str) -> str:
    """The value as an argument of a command."""
    return f'"${name}"' if SECRET.search(value) else shlex.quote(value)


def setting(name: str, value: str) -> str:
    """The variable as an option of rsconnect, which takes a bare name from its environment."""
    return f"-E {name}" if SECRET.search(value) else f"-E {shlex.quote(f'{name}={value}')}"
