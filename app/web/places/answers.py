"""Answers of the board: a passing sentence, a sheet in front of it, or the board itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import Response

from app.api.kit.wire import Out, etag_of
from app.web.page import Page

UNDO_S = 10
"""The time for which the page offers to undo."""
BOARD = "/places"
SAID, SHEET = "said", "sheet-body"
"""The ids of the parts of the page for a sentence and for a sheet."""
RESWAP = "innerHTML show:none settle:0ms"
"""The swap settles at once, so that a button which has just come can be pressed."""


def say(
    page: Page, sentence: str, *, undo: Mapping[str, Any] | None = None, wrong: bool = False
) -> Response:
    """Say what was done, and renew every part of the board; without a script, show the board.

    `undo` has the request of the button that undoes the act.
    """
    if not page.partial:
        return page.go(BOARD)
    headers = {
        "HX-Retarget": f"#{SAID}",
        "HX-Reswap": RESWAP,
        "HX-Trigger": "plek:again, plek:done",
    }
    return page.show(
        "places/_said.html", headers=headers, sentence=sentence, undo=undo, wrong=wrong
    )


def make_undo(path: str, *, at: datetime, **fields: str) -> Mapping[str, Any]:
    """Return the request that undoes an act, with its fields, and until when it is offered."""
    return {"path": path, "until": at + timedelta(seconds=UNDO_S), **fields}


def show_sheet(page: Page, template: str, *, status: int = 200, **known: Any) -> Response:  # noqa: ANN401 - as `show` takes it
    """Show a sheet in front of the board, or as a page of its own if opened as one."""
    if not page.partial:
        return page.show("places/sheet.html", status=status, inner=template, **known)
    headers = {"HX-Retarget": f"#{SHEET}", "HX-Reswap": RESWAP}
    return page.show(template, status=status, headers=headers, inner=template, **known)


def version_of(shown: Out) -> str:
    """Return the version of an object in a form, as the API's ETag has it."""
    return etag_of(shown.model_dump_json(by_alias=True).encode())
