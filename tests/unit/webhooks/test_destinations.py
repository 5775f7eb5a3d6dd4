"""Where webhooks may go, and how what is sent there is signed."""

import json
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.config import Settings
from app.webhooks import post
from app.webhooks.destinations import Destinations

ANYWHERE = Destinations()
HERE = Destinations.of(Settings(webhook_networks=("127.0.0.0/8", "10.4.0.0/16", "fd00::/8")))
HTTPS, NOT_THERE = "must begin with https://", "names a host that webhooks may not go to"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/plek?token=a%20b",
        "https://hooks.example.org:8443",
        "https://xn--exmple-cua.org/",
        "https://a_b.example.org/",
        "https://93.184.215.14/",
        "https://[2606:2800:220:1::1]:8443/plek",
    ],
)
def test_a_public_host_may_be_named(url: str) -> None:
    assert ANYWHERE.faults(url) == []


@pytest.mark.parametrize(
    "url, fault",
    [
        ("", "must begin with https:// and name a host"),
        ("ftp://hooks.example.org/", "must begin with https:// and name a host"),
        ("https://", "must begin with https:// and name a host"),
        ("https://[::1", "is not a URL"),
        ("https://h\u00e0\u0000.example/", "is not a URL"),
        ("http://hooks.example.org/", HTTPS),
        ("http://93.184.215.14/", HTTPS),
        ("https://user@hooks.example.org/", "must not hold a user name or password"),
        ("https://user:secret@hooks.example.org/", "must not hold a user name or password"),
        ("https://hooks.example.org/#", "must not have a fragment"),
        ("https://hooks.example.org/a b", "must be printable ASCII without spaces"),
        ("https://hooks.example.org:0/", "must name a port from 1 to 65535"),
        ("https://hooks.example.org:65536/", "must name a port from 1 to 65535"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url: str, fault: str) -> None:
    assert fault in ANYWHERE.faults(url)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "intranet", "db.localhost", "printer.local", "metadata.google.internal", "nas.home.arpa",
        "127.0.0.1", "127.1", "2130706433", "0x7f.1", "017700000001", "1.2.3.0x4", "hooks.example.org.", "a..b",
        "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",  # noqa: S104 - refused, not bound
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1",
        "[::]", "[::1]", "[::ffff:93.184.215.14]", "[::ffff:7f00:1]", "[64:ff9b::5db8:d70e]", "[64:ff9b:1::1]",
        "[fe80::1]", "[fe80::1%25eth0]", "[fd00::1]", "[fec0::1]", "[ff02::1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]",
        "[2001:db8::1]",
    ],
)  # fmt: skip
def test_a_host_inside_is_refused(host: str) -> None:
    assert ANYWHERE.faults(f"https://{host}/") == [NOT_THERE]


KEPT_FOR_SOMETHING = (
    "0.0.0.0",  # noqa: S104 - refused, not bound
    *("10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.0.1", "172.31.255.254"),
    *("192.0.0.1", "192.0.0.8", "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.0.0.171"),
    *("192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.88.99.2", "192.168.1.1"),
    *("192.175.48.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "233.252.0.1"),
    *("240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "100:0:0:1::1"),
    *("2001::1", "2001:1::1", "2001:1::2", "2001:1::3", "2001:2::1", "2001:3::1"),
    *("2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:db8::1", "2002:808:808::1"),
    *("2620:4f:8000::1", "3ffe::1", "3fff::1", "5f00::1", "fc00::1", "fe80::1", "fec0::1"),
)
"""An address of every block in IANA's two special-purpose registries, and of those that are retired."""
BESIDE = (
    *("8.8.8.8", "192.0.1.1", "192.88.98.255", "192.88.100.0", "198.20.0.1", "223.255.255.254"),
    *("2001:200::1", "2001:4860::1", "2620:4f:8001::1", "2a00::1"),
)


def test_no_block_that_is_kept_for_something_is_reached_and_those_beside_are() -> None:
    public = [one for one in KEPT_FOR_SOMETHING if ANYWHERE.admits(ip_address(one), scheme="https")]
    closed = [one for one in BESIDE if not ANYWHERE.admits(ip_address(one), scheme="https")]

    assert (public, closed) == ([], [])
    assert Destinations.of(Settings(webhook_networks=("192.88.99.0/24",))).admits(
        ip_address("192.88.99.1"), scheme="https"
    )


def test_what_a_name_leads_to_is_judged_by_the_address_alone() -> None:
    for address in ("93.184.215.14", "2606:2800:220:1::1"):
        assert ANYWHERE.admits(ip_address(address), scheme="https")
        assert not ANYWHERE.admits(ip_address(address), scheme="http")
    for address in (
        "127.0.0.1",
        "10.4.1.2",
        "169.254.169.254",
        "::1",
        "::ffff:93.184.215.14",
        "fd00::1",
    ):
        assert not ANYWHERE.admits(ip_address(address), scheme="https")


def test_networks_that_are_allowed_are_reached_also_without_tls_and_by_names_of_the_inside() -> (
    None
):
    for url in (
        "http://127.0.0.1:9000/x",
        "https://10.4.1.2/",
        "http://localhost/",
        "https://erp.internal/",
    ):
        assert HERE.faults(url) == []
    assert HERE.faults("http://10.5.0.1/") == [NOT_THERE]
    assert HERE.admits(ip_address("10.4.1.2"), scheme="http")
    assert HERE.admits(ip_address("fd00::1"), scheme="http")
    assert not HERE.admits(ip_address("10.5.0.1"), scheme="https")
    assert not HERE.admits(ip_address("93.184.215.14"), scheme="http")


def test_where_hosts_are_named_no_other_may_be() -> None:
    destinations = Destinations(
        (ip_network("10.4.0.0/16"),), ("hooks.example.org", "*.example.net", "10.4.1.2")
    )

    for host in (
        "hooks.example.org",
        "HOOKS.example.org",
        "a.example.net",
        "b.a.example.net",
        "10.4.1.2",
    ):
        assert destinations.faults(f"https://{host}/") == []
    for host in (
        "example.org",
        "x.hooks.example.org",
        "example.net",
        "badexample.net",
        "10.4.1.3",
        "93.184.215.14",
    ):
        assert destinations.faults(f"https://{host}/") == [NOT_THERE]


def test_a_signature_is_what_the_specification_says() -> None:
    secret, at = post.new_secret(), datetime.now(UTC)
    body = post.message_body("hold", "7d5c", at=datetime(2026, 1, 31, 23, 5, tzinfo=UTC))

    signed = dict(post.signed_headers(secret, body, message_id="msg_1", at=at))

    assert Webhook(secret).verify(body, signed) == json.loads(body)
    assert json.loads(body) == {
        "type": "hold",
        "timestamp": "2026-01-31T23:05:00Z",
        "data": {"id": "7d5c"},
    }
    for other in (
        signed | {"webhook-id": "msg_2"},
        signed | {"webhook-timestamp": str(int(at.timestamp()) + 1)},
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, other)
    with pytest.raises(WebhookVerificationError):
        Webhook(post.new_secret()).verify(body, signed)
    region = post.message_body("availability", "GM0193", at=at)
    assert json.loads(region)["data"] == {"region": "GM0193"}
