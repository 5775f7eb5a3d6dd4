"""A webhook's name may lead anywhere, and elsewhere the next time.

Requests go to the address that was looked at.
"""

import ssl
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from app.webhooks.destinations import Address, Destinations
from app.webhooks.post import LookUp, NameLookup, NoAnswer, Post
from tests.certificates import certificate
from tests.webhook_receiver import receiving

LOOPBACK, PUBLIC = ip_address("127.0.0.1"), ip_address("93.184.215.14")
HERE = Destinations((ip_network("127.0.0.1"),))


def answering(*answers: list[Address]) -> tuple[LookUp, list[str]]:
    """Return a name server that gives one answer after the other, and what it was asked."""
    left, asked = list(answers), list[str]()

    async def look_up(host: str, _port: int) -> list[Address]:
        asked.append(host)
        return left.pop(0)

    return look_up, asked


async def reason(post: Post, url: str) -> str:
    with pytest.raises(NoAnswer) as refused:
        await post.send(url, headers={}, body=b"{}")
    return str(refused.value)


async def test_a_name_that_leads_inside_is_not_followed_however_it_looked_before() -> None:
    async with receiving() as receiver:
        port = receiver.base.rpartition(":")[2]
        for inside in (
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
        ):
            look_up, asked = answering([ip_address(inside)])
            assert (
                await reason(
                    Post(Destinations(), look_up=look_up), f"https://hooks.example:{port}/"
                )
                == "address_refused"
            )
            assert asked == ["hooks.example"]
        # What settings allowed when it was added they may not allow any more.
        assert await reason(Post(Destinations()), f"{receiver.base}/") == "not_allowed"
        assert receiver.got == []


async def test_a_name_is_looked_up_once_and_the_connection_goes_where_that_led() -> None:
    look_up, asked = answering([LOOPBACK], [PUBLIC])
    async with receiving() as receiver:
        url = f"http://hooks.example:{receiver.base.rpartition(':')[2]}/plek"
        assert (
            await Post(HERE, look_up=look_up).send(url, headers={"webhook-id": "msg_1"}, body=b"{}")
            == 204
        )
        # A public address is reached with TLS only: this one is not tried at all.
        assert await reason(Post(HERE, look_up=look_up), url) == "address_refused"
    [received] = receiver.got
    assert received.headers["host"] == url.split("/")[2]
    assert asked == ["hooks.example"] * 2


async def test_a_proxy_that_the_environment_names_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with receiving() as receiver, receiving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base)
        assert await Post(HERE).send(f"{receiver.base}/", headers={}, body=b"{}") == 204
        assert (len(receiver.got), len(proxy.got)) == (1, 0)


async def test_names_are_really_looked_up_and_one_that_is_none_has_no_answer() -> None:
    assert LOOPBACK in await NameLookup()("localhost", 443)

    async def unknown(_host: str, _port: int) -> list[Address]:
        raise OSError

    assert (
        await reason(Post(Destinations(), look_up=unknown), "https://hooks.example/")
        == "unknown_host"
    )


async def test_the_certificate_has_to_be_that_of_the_name(tmp_path: Path) -> None:
    context = certificate(tmp_path, "hooks.example")
    trusted = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
    look_up, _ = answering([LOOPBACK], [LOOPBACK], [LOOPBACK])
    post = Post(HERE, look_up=look_up, trusted=trusted)
    async with receiving(context) as receiver:
        port = receiver.base.rpartition(":")[2]
        assert await post.send(f"https://hooks.example:{port}/", headers={}, body=b"{}") == 204
        assert await reason(post, f"https://other.example:{port}/") == "no_answer"
        assert await reason(post, f"https://127.0.0.1:{port}/") == "no_answer"
        assert (
            await reason(Post(HERE, look_up=look_up), f"https://hooks.example:{port}/")
            == "no_answer"
        )
        assert len(receiver.got) == 1
