from __future__ import annotations

from itertools import product

from app.allocation.peaks.peaks import PlannedReferral
from app.reference import load
from app.words.peaks import CHANGES, REASONS, plan_text


def test_every_change_and_reason_has_words_in_every_language() -> None:
    languages = load().country.languages
    for change, reason, language, count in product(CHANGES, (None, *REASONS), languages, (1, 2)):
        text = plan_text(PlannedReferral("r", None, None, change, reason, count), language=language)
        assert text.endswith(".")
        assert "%" not in text


def test_one_household_is_told_as_one() -> None:
    planned = PlannedReferral("r", None, None, "lesser_band", "more_placed", 2)
    assert plan_text(planned, language="en") == (
        "A place with less margin or less certainty than in turn, yet safe by every rule:"
        " so 2 more households get a place."
    )
    assert (
        plan_text(PlannedReferral("r", None, None, "same"), language="nl")
        == "Dezelfde plek als om de beurt."
    )
