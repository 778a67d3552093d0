"""The code of a model that misbehaves in the way that the cell `how` names; while it is loaded, in
the way that its folder names.

The part `bad_models` copies this file into the folder of a model. It imports nothing that the
server does not import.
"""

import asyncio
import contextlib
import ctypes
import gc
import locale
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

FINE: Final = "fine"

LEAKED: Final[list[bytes]] = []


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("this has no text")

    __repr__ = __str__


def raising(error: BaseException) -> Callable[[Any], NoReturn]:
    def act(cells: Any) -> NoReturn:
        raise error

    return act


def tell(cells: Any) -> NoReturn:
    raise ValueError(f"{cells['data'].iloc[0]} with {os.environ['MLFLOW_TRACKING_TOKEN']}")


def recurse(cells: Any) -> Any:
    return recurse(cells)


def exit_by_call(cells: Any) -> None:
    sys.exit(3)


def write_much(cells: Any) -> None:
    print("x" * 10_000_000)
    print("y" * 1_000_000, file=sys.stderr)


def leak(cells: Any) -> None:
    LEAKED.append(bytes(20_000_000))


def lose_folder(cells: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)


def close_streams(cells: Any) -> None:
    sys.stdout.close()
    sys.stderr.close()
    sys.stdin.close()


def handle_signals(cells: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def set_up_process(cells: Any) -> None:
    for name in ("tr_TR.UTF-8", "C"):
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
            break
    warnings.simplefilter("error")
    sys.setrecursionlimit(100_000)
    gc.disable()
    os.umask(0o777)


def start_threads(cells: Any) -> None:
    for _ in range(50):
        threading.Thread(target=time.sleep, args=(600,), daemon=False).start()


def fork_and_return(cells: Any) -> None:
    os.fork()


def fork_and_wait(cells: Any) -> None:
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(0.01,))
    process.start()
    process.join()


def compute(cells: Any) -> None:
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass


def compute_for_ever(cells: Any) -> NoReturn:
    while True:
        with contextlib.suppress(BaseException):
            compute(cells)


async def later() -> str:
    await asyncio.sleep(0)
    return FINE


def nest() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


WAYS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "well": lambda cells: None,
    "where": lambda cells: [threading.current_thread().name],
    "raises": tell,
    "huge text": raising(ValueError("a@b?c=d " * 1_000_000)),
    "no text": raising(Unspeakable()),
    "sys.exit": exit_by_call,
    "interrupt": raising(KeyboardInterrupt()),
    "memory": raising(MemoryError()),
    "recursion": recurse,
    "object": lambda cells: object(),
    "endless": lambda cells: nest(),
    "few rows": lambda cells: [1],
    "event loop": lambda cells: asyncio.run(later()),
    "prints": write_much,
    "leaks": leak,
    "folder": lose_folder,
    "environment": lambda cells: os.environ.clear(),
    "streams": close_streams,
    "signals": handle_signals,
    "process": set_up_process,
    "threads": start_threads,
    "fork": fork_and_return,
    "child": fork_and_wait,
    "hangs": lambda cells: time.sleep(600),
    "computes": compute,
    "computes for ever": compute_for_ever,
    "os._exit": lambda cells: os._exit(3),
    "abort": lambda cells: os.abort(),
    "segmentation fault": lambda cells: ctypes.string_at(0),
}


class Model:
    def predict(self, cells: Any, params: Any = None) -> Any:
        found = WAYS[cells["how"].iloc[0]](cells)
        return [FINE] * len(cells) if found is None else found


def _load_pyfunc(path: str) -> Model:
    WAYS.get(Path(path).name, WAYS["well"])(None)
    return Model()
