import pytest

from app.errors import Conflict, Missing, Refusal, Unavailable
from app.web.language import in_language, sentence


def sentence_in(refusal: Refusal, language: str) -> str:
    with in_language(language):
        return sentence(refusal)


@pytest.mark.parametrize(
    "refusal, nl, en",
    [
        (
            Unavailable(),
            "De database is niet bereikbaar; probeer het zo opnieuw.",
            "The database is out of reach; try again in a moment.",
        ),
        (
            Conflict("hold_resolved", "This hold is %(hold_status)s.", hold_status="declined"),
            "Deze reservering is al afgewezen.",
            "This hold is declined.",
        ),
        (
            Conflict(
                "no_longer_lawful",
                "What is known of the household or of the place has changed. Rank again."
                " In the way: %(rules)s.",
                rules=("danger", "size"),
            ),
            (
                "Wat van het huishouden of van de plek bekend is, is veranderd. Maak de rangorde"
                " opnieuw. In de weg staat: te dicht bij een onveilig gebied; te klein voor dit"
                " huishouden."
            ),
            (
                "What is known of the household or of the place has changed. Rank again."
                " In the way: too close to an unsafe area; too small for this household."
            ),
        ),
    ],
)
def test_a_refusal_is_said_in_the_readers_language_with_words_for_its_codes(
    refusal: Refusal, nl: str, en: str
) -> None:
    assert (sentence_in(refusal, "nl"), sentence_in(refusal, "en")) == (nl, en)


def test_clients_of_the_api_read_the_sentence_with_its_codes() -> None:
    refusal = Conflict("hold_resolved", "This hold is %(hold_status)s.", hold_status="no_answer")
    lawful = Conflict("no_longer_lawful", "In the way: %(rules)s.", rules=("danger", "size"))

    assert refusal.detail == "This hold is no_answer."
    assert lawful.detail == "In the way: danger, size."
    assert lawful.rules == ("danger", "size")


def test_a_page_says_to_a_person_what_the_api_says_to_a_program() -> None:
    assert Missing().detail == "Not found."
    assert sentence_in(Missing(), "en") == "This does not exist, or it is not meant for you."
    assert sentence_in(Missing(), "nl") == "Dit bestaat niet, of het is niet voor u bedoeld."
