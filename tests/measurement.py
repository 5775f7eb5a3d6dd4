"""The tests that are measured for what they cover: measuring takes nearly as long as what it measures."""

from collections.abc import Generator
from typing import Any

import pytest

UNMEASURED = ("tests/web/", "tests/races/", "tests/faults/")
"""Folders that come, in a browser, side by side or in a process of their own, where others have been."""


def pytest_configure(config: pytest.Config) -> None:
    """Take part where something is measured."""
    if config.pluginmanager.hasplugin("_cov"):
        config.pluginmanager.register(Measurement(config), "plek-measurement")


class Measurement:
    """Measures a test in a folder that is measured, and there once, with the first of its parameters."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Stop measuring while a test runs that others stand for."""
        controller: Any = getattr(
            self.config.pluginmanager.getplugin("_cov"), "cov_controller", None
        )
        if controller is None or is_measured(item):
            return (yield)
        controller.pause()
        try:
            return (yield)
        finally:
            controller.resume()


def is_measured(item: pytest.Item) -> bool:
    """Whether what a test runs is noted."""
    if item.nodeid.startswith(UNMEASURED):
        return False
    parameters: Any = getattr(item, "callspec", None)
    return parameters is None or not any(parameters.indices.values())
