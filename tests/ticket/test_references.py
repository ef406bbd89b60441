"""References and keyed addresses: what people type is read, what nobody was given opens nothing (TH-1, TH-6, TH-7, AT-6)."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticket.scene import DESK, KEY, MAILBOX, TICKET, arrive, key, mail
from triaged.ticket.address import GARBLED, Keyed, Role, bare, keyed_address, read_address
from triaged.ticket.known import clues
from triaged.ticket.reference import ALPHABET, base32, new_token, reference, token_of, tokens_in

tokens = st.binary(min_size=5, max_size=5).map(lambda five: new_token(lambda _: five))
secrets = st.binary(min_size=16, max_size=64)
roles = st.sampled_from(list(Role))


@given(tokens)
def test_a_reference_is_read_back_however_people_write_it(token: str) -> None:
    ref = reference("IMS", token)
    for written in (ref, ref.lower(), f"[{ref}]", f"  {ref} ", ref.replace("-", ""), ref[4:], token, token.upper()):
        assert token_of(written) == token, written


@given(tokens)
def test_characters_that_people_misread_are_read_as_meant(token: str) -> None:
    """Crockford's alphabet leaves out I, L, O and U: the first three are taken for 1, 1 and 0."""
    upper = token.upper()
    for wrong, right in (("O", "0"), ("I", "1"), ("L", "1"), ("o", "0"), ("i", "1"), ("l", "1")):
        assert token_of(upper.replace(right, wrong)) == token


@pytest.mark.parametrize(
    "text", ["", "IMS", "IMS-7F3K", "IMS-7F3K-9QX!", "IMS-7F3K-9QXU", "../etc", "7f3k 9qxd", "ÄÖÜß7f3k"]
)
def test_what_is_no_reference_is_none(text: str) -> None:
    assert token_of(text) is None


@given(st.text(max_size=200))
def test_any_text_at_all_is_a_token_or_none(text: str) -> None:
    token = token_of(text)
    assert token is None or (len(token) == 8 and set(token.upper()) <= set(ALPHABET))


def test_a_token_is_forty_random_bits_and_says_them_all() -> None:
    """TH-6: two different random values never give one token."""
    low, high = new_token(lambda n: bytes(n)), new_token(lambda n: b"\xff" * n)
    assert (low, high) == ("00000000", "zzzzzzzz")
    draw = random.Random(1)
    assert len({new_token(draw.randbytes) for _ in range(10_000)}) == 10_000


@given(st.binary(max_size=20).filter(lambda value: len(value) % 5 == 0))
def test_base32_keeps_every_bit(value: bytes) -> None:
    number = 0
    for character in base32(value):
        number = number * 32 + ALPHABET.index(character)
    assert number == int.from_bytes(value, "big")


def test_references_in_a_subject_are_found_for_this_prefix_alone() -> None:
    """TH-1: a hint for people."""
    subject = "Re: [IMS-7F3K-9QXD] and [ims7f3k9qxe], not [ABC-7F3K-9QXF] nor IMS-7F3K-9QXG"
    assert tokens_in(subject, "IMS") == ("7f3k9qxd", "7f3k9qxe")


@given(tokens, roles, secrets)
def test_a_keyed_address_is_read_back_whatever_a_relay_does_to_its_case(token: str, role: Role, secret: bytes) -> None:
    """TH-7."""
    address = keyed_address(MAILBOX, token, role, secret)
    for written in (address, address.upper(), address.title(), address.swapcase()):
        assert read_address(written, MAILBOX, (secret,)) == Keyed(token, role)


@given(tokens, roles, secrets)
def test_a_keyed_address_fits_into_a_local_part(token: str, role: Role, secret: bytes) -> None:
    """TH-7: 64 octets (RFC 5321 section 4.5.3.1.1), for a mailbox of up to 36 octets before its detail."""
    address = keyed_address("a" * 36 + "@example.test", token, role, secret)
    assert address.isascii() and len(address.partition("@")[0]) == 36 + 28 == 64


@given(tokens, roles, st.data())
def test_one_changed_character_garbles_a_key(token: str, role: Role, data: st.DataObject) -> None:
    """AT-6: 80 bits; no neighbour of a valid key is one."""
    address = keyed_address(MAILBOX, token, role, KEY)
    place = data.draw(st.integers(len("security+"), address.index("@") - 1))
    letter = data.draw(st.sampled_from(ALPHABET.lower() + "."))
    changed = address[:place] + letter + address[place + 1 :]
    assert changed == address or read_address(changed, MAILBOX, (KEY,)) is GARBLED


def test_a_role_cannot_be_traded_for_another() -> None:
    address = key(TICKET, Role.RESEARCHER)
    for role in (Role.TEAM, Role.BOUNCE):
        assert read_address(address.replace(".r.", f".{role}."), MAILBOX, (KEY,)) is GARBLED


def test_a_thousand_guesses_open_nothing() -> None:
    """AT-6."""
    draw = random.Random(2)
    for _ in range(1000):
        mac = "".join(draw.choices(ALPHABET.lower(), k=16))
        assert read_address(f"security+{TICKET.token}.r.{mac}@example.test", MAILBOX, (KEY,)) is GARBLED


def test_an_old_key_is_still_accepted_and_a_lost_one_is_not() -> None:
    """A key is rotated by putting the new one first: addresses of the old one are in people's mail for years."""
    old, new = b"old" * 11, b"new" * 11
    assert read_address(key(TICKET, Role.TEAM, old), MAILBOX, (new, old)) == Keyed(TICKET.token, Role.TEAM)
    assert read_address(key(TICKET, Role.TEAM, old), MAILBOX, (new,)) is GARBLED
    assert key(TICKET, Role.TEAM, old) != key(TICKET, Role.TEAM, new)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("security@example.test", None),
        ("other+7f3k9qxd.r.0000000000000000@example.test", None),
        ("security+7f3k9qxd.r.0000000000000000@example.org", None),
        ("securityx+7f3k9qxd.r.0000000000000000@example.test", None),
        ("", None),
        ("security+@example.test", GARBLED),
        ("security+newsletter@example.test", GARBLED),
        ("security+7f3k9qxd@example.test", GARBLED),
        ("security+7f3k9qxd.r@example.test", GARBLED),
        ("security+7f3k9qxd.x.0000000000000000@example.test", GARBLED),
        ("security+7f3k9qxd..0000000000000000@example.test", GARBLED),
        ("security+7f3k9qxd.r.ääääääääääääääää@example.test", GARBLED),
        ("security+äääääääü.r.0000000000000000@example.test", GARBLED),
    ],
)
def test_plain_foreign_and_garbled_addresses_are_told_apart(address: str, expected: object) -> None:
    """AT-6: whatever stands behind the plus, reading it never fails."""
    assert read_address(address, MAILBOX, (KEY,)) is expected


@given(st.text(alphabet=string.printable + "äßıſK\u0130\u2028", max_size=80))
def test_no_detail_makes_reading_fail(detail: str) -> None:
    assert read_address(f"security+{detail}@example.test", MAILBOX, (KEY,)) is not None


def test_a_report_to_an_address_with_an_odd_detail_is_read() -> None:
    """A detail in other letters (RFC 6532) made the key check raise, and the whole report unreadable."""
    raw = mail(to="security+7f3k9qxd.r.ääääääääääääääää@example.test")
    assert clues(arrive(raw).message, DESK).keyed is GARBLED


def test_a_mail_to_the_team_and_to_the_researcher_stays_with_the_team() -> None:
    """AT-29: of several keys the inward one decides."""
    raw = mail(to=f"{key(TICKET, Role.RESEARCHER)}, {key(TICKET, Role.TEAM)}")
    assert clues(arrive(raw).message, DESK).keyed == Keyed(TICKET.token, Role.TEAM)


def test_own_addresses_are_compared_without_their_detail() -> None:
    """AR-3."""
    assert bare("Security+Anything@Example.TEST") == bare("security@example.test") == "security@example.test"
