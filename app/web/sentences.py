"""What a refusal is in the reader's words: the sentence itself where it is translated, else one for its code.

The sentences of refusals are part of what clients of the API read; some of them name what stands in
the way. A page in another language has one for each code, so that nobody meets a sentence that they
cannot read.
"""

from collections.abc import Mapping

from app.errors import Refusal
from app.words import N_

BY_CODE: Mapping[str, str] = {
    "already_moving_on": N_("They are on their way to another place already."),
    "already_placed": N_("This hold became a placement already."),
    "already_named": N_("You are one of those who may see this referral."),
    "alternative_ended": N_("This alternative has ended."),
    "alternative_in_use": N_("This referral has an alternative already: end that one first."),
    "another_origin": N_(
        "This stay has another municipality of origin: correct it, and rank again."
    ),
    "busy": N_("Somebody else is busy with this; try again."),
    "cap_is_over": N_("This cap is over already."),
    "cap_overlaps": N_("Your region has a cap on one of these days: withdraw it first."),
    "claimed": N_("This place has a hold or a placement."),
    "demo_country": N_("This database holds the demo country: no accounts are made in it here."),
    "erased": N_("This has been erased."),
    "forbidden": N_("Your role may not do this."),
    "hold_expired": N_("This hold has run out."),
    "hold_resolved": N_("This hold has been decided already."),
    "idempotency_key_reused": N_(
        "This was sent before with something else in it: open the page again."
    ),
    "idempotency_key_required": N_("Open the page again, and try once more."),
    "if_match_required": N_("Open the page again, and try once more."),
    "import_faults": N_("The file has faults; nothing was imported."),
    "invalid_input": N_("Something in it cannot be used: look at the fields."),
    "moved_on": N_(
        "This household has moved on since: what was recorded of this part of its stay stands."
    ),
    "no_capacity": N_("This provider can help no more households where they are at the moment."),
    "no_longer_lawful": N_(
        "This place is not allowed any more for this household: look for another."
    ),
    "no_longer_safe": N_("This place is not safe any more for this household: look for another."),
    "not_accepted": N_("The receiving provider has not accepted yet."),
    "not_acute_safety": N_("Others are asked to move only for someone in acute danger."),
    "not_found": N_("There is nothing here for you."),
    "not_named": N_("Only colleagues who are named may change that."),
    "not_to_be_moved": N_(
        "This household is on its way, was moved a short while ago, or is in a swap already."
    ),
    "offer_gone": N_("Those places have just gone: take the next offer."),
    "override_reason_required": N_("Say why this offer, and not the first one."),
    "own_account": N_("Another administrator has to do that."),
    "part_of_swap": N_("This place is kept for a swap: consent to that, or refuse it."),
    "place_occupied": N_("Whoever lives there has not left yet."),
    "placement_status": N_("That cannot be done any more at this point of the placement."),
    "policy_beginning_taken": N_(
        "Another policy begins at this very moment: let this one begin later."
    ),
    "policy_version_taken": N_(
        "A policy of this version says something else: give this one another."
    ),
    "quarter_not_sealed": N_("There are no totals of that quarter yet."),
    "ranking_outdated": N_("Something changed since this ranking was made: rank again."),
    "referral_not_open": N_("This referral has a hold or a placement, or is closed."),
    "renewals_spent": N_("This hold has been renewed as often as the policy allows."),
    "search_outdated": N_("This search is too old: search again."),
    "stale": N_("Somebody changed this since you opened it: open it again."),
    "swap_expired": N_("This swap has run out: not everybody consented in time."),
    "swap_gone": N_("Something changed since this swap was found: search again."),
    "swap_resolved": N_("This swap has been decided already."),
    "too_many_requests": N_("Too many requests: wait a moment."),
    "too_many_webhooks": N_("There are as many webhooks as there may be: remove one first."),
    "unauthenticated": N_("Sign in first."),
    "unavailable": N_("The database is out of reach; try again in a moment."),
}

IN_FULL = (
    N_("Nobody is safe at this site any more: decline, so that another place is found for them."),
    N_(
        "By what is known of the danger they are not safe here: decline, so that another place is found for them."
    ),
)
"""Sentences that say to another reader what their code does not, word for word as the services have them."""


def code_sentence(refusal: Refusal) -> str:
    """Return the sentence for a refusal's code, not yet translated."""
    return BY_CODE.get(refusal.code, N_("That is not possible now."))
