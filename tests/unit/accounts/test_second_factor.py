"""Codes of the second factor are those that every authenticator shows."""

from datetime import UTC, datetime, timedelta

from app.accounts import second_factor

SECRET = b"12345678901234567890"
"""Of RFC 6238, appendix B, whose codes have eight digits: the last six are ours."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_codes_are_those_of_the_standard() -> None:
    codes = {
        59: "287082",
        1_111_111_109: "081804",
        1_111_111_111: "050471",
        20_000_000_000: "353130",
    }

    assert {
        at: second_factor.code_at(SECRET, EPOCH + timedelta(seconds=at)) for at in codes
    } == codes


def test_a_code_is_of_a_step_around_the_moment_or_of_none() -> None:
    at = EPOCH + timedelta(seconds=1_111_111_109)
    now = 1_111_111_109 // 30

    found = [
        second_factor.step_of(SECRET, second_factor.code_at(SECRET, at, step=step), at=at)
        for step in range(-2, 3)
    ]

    assert found == [0, now - 1, now, now + 1, 0]
    assert [
        second_factor.step_of(SECRET, code, at=at) for code in ("", "08180", "\u0660" * 6, "x" * 99)
    ] == [0] * 4


def test_a_secret_is_spelled_in_fours_and_scanned_with_its_name() -> None:
    assert second_factor.spell_secret(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    scanned = second_factor.provisioning_uri(SECRET, name="j.jansen@linde.example")
    assert scanned.startswith("otpauth://totp/Plek:j.jansen%40linde.example?")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in scanned


def test_a_recovery_code_is_the_same_however_it_is_typed() -> None:
    code = second_factor.new_recovery_codes()[0]

    assert len(code.replace(" ", "")) == 16
    assert second_factor.recovery_hash(code) == second_factor.recovery_hash(
        code.lower().replace(" ", "")
    )
