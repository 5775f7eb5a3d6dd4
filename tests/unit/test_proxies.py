"""Who is believed when it says for whom it asks."""

import pytest

from app.config import read_settings
from app.errors import OperatorError

NAME = "PLEK_TRUSTED_PROXIES"


@pytest.mark.parametrize("said", ["", " ", ",", " , "])
def test_only_this_machine_is_believed_unless_others_are_named(said: str) -> None:
    assert (
        read_settings({NAME: said}).trusted_proxies
        == read_settings({}).trusted_proxies
        == ("127.0.0.1", "::1")
    )


def test_addresses_and_networks_can_be_named() -> None:
    read = read_settings({NAME: "10.1.2.3, 10.2.0.0/16,2001:db8::/32"})

    assert read.trusted_proxies == ("10.1.2.3", "10.2.0.0/16", "2001:db8::/32")


@pytest.mark.parametrize(
    "said", ["*", "proxy.example", "10.1.2.3/16", "0.0.0.0/0", "::/0", "10.1.2.3;10.1.2.4"]
)
def test_what_is_no_address_or_is_all_of_them_is_refused(said: str) -> None:
    with pytest.raises(OperatorError, match=NAME):
        read_settings({NAME: f"127.0.0.1,{said}"})
