"""Coverage that finds the greenlet at work quickly, as it asks for it at every call and every return."""

import weakref
from typing import Any

import pytest
from greenlet import greenlet

STACKS: list[dict[greenlet, int]] = []
"""Where coverage has written down which of its stacks is which greenlet's; those that have ended are dropped."""


def pytest_configure(config: pytest.Config) -> None:
    """Take part where something is measured."""
    if config.pluginmanager.hasplugin("_cov"):
        config.pluginmanager.register(Quickened(config), "plek-covering")


class Quickened:
    """Gives coverage a plain dictionary to look in: in the weak one that it makes, it spends most of its time.

    Where coverage does without, as it does from Python 3.14 on, this changes nothing.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Begin to measure anew, when coverage has not looked yet."""
        controller = getattr(self.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
        measuring: Any = getattr(controller, "cov", None)
        if measuring is None:
            return
        with pytest.MonkeyPatch.context() as given:
            given.setattr(weakref, "WeakKeyDictionary", _plain)
            measuring.stop()
            measuring.start()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self) -> None:
        """Let go of the greenlets that have ended."""
        for known in STACKS:
            for one in [one for one in tuple(known) if one.dead]:
                del known[one]


def _plain() -> dict[greenlet, int]:
    STACKS.append({})
    return STACKS[-1]
