"""How the board answers.

A sentence that passes, a sheet in front of the board, or the board itself.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from app.api.kit.wire import Out, etag_of
from app.web.page import Page

BOARD = "/places"
SAID, SHEET = "said", "sheet-body"
"""Where on the page a sentence and a sheet stand."""
RESWAP = "innerHTML show:none settle:0ms"
"""Without a moment in which what is new does nothing yet: somebody may press it at once."""


def said(
    page: Page, sentence: str, *, undo: Mapping[str, Any] | None = None, wrong: bool = False
) -> Response:
    """Say what was done, and let every part of the board look again.

    Without scripts, show the board.

    `undo` has what the button sends that takes it back.
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


def sheet(page: Page, template: str, *, status: int = 200, **known: Any) -> Response:  # noqa: ANN401 - as `show` takes it
    """Show something in front of the board.

    As a page of its own where it was opened as one.
    """
    if not page.partial:
        return page.show("places/sheet.html", status=status, inner=template, **known)
    headers = {"HX-Retarget": f"#{SHEET}", "HX-Reswap": RESWAP}
    return page.show(template, status=status, headers=headers, inner=template, **known)


def version_of(shown: Out) -> str:
    """Return the version of what a form was made of, as the API's ETag has it."""
    return etag_of(shown.model_dump_json(by_alias=True).encode())
