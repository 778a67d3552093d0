"""What each process of the tests needs: also the one that only hands tests out to the others, which
starts at once, as it imports no more than this."""

import contextlib
import gc
from collections.abc import Generator
from importlib import import_module

import pytest
from hypothesis import Phase, settings

from modelserver.hosting.memory import collector_paused
from tests.support.measuring import unmeasured

# Each run tests the same examples, so that a failure in CI is a failure here. `make fuzz` takes
# others, and more of them; `make quick` takes fewer.
settings.register_profile("same", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=1000, deadline=None, print_blob=True)
settings.register_profile("quick", settings.get_profile("same"), max_examples=20)
settings.register_profile(
    "mutate", derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("same")


OTHER_PEOPLES = ["mlflow.pyfunc.scoring_server", "sklearn.compose", "playwright.sync_api"]
"""Packages that take long to import, and longer where that is measured."""


def only_hands_out(config: pytest.Config) -> bool:
    """Whether this process runs no test, but hands them out to others."""
    return config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    if only_hands_out(config):
        handing_out = contextlib.ExitStack()
        handing_out.enter_context(unmeasured())
        config.add_cleanup(handing_out.close)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is imported for the tests stays: the garbage collector need not visit it, neither now
    nor at each test."""
    if only_hands_out(session.config):
        return (yield)
    with collector_paused():
        with unmeasured():
            for package in OTHER_PEOPLES:
                import_module(package)
        session.config.pluginmanager.import_plugin("tests.support.fixtures")
        collected = yield
    gc.freeze()
    return collected
