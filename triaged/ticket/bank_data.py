"""What looks like an account, a card or an address in words about a payment. Refuses it, and keeps nothing of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from triaged.ticket.verbs import VerbError

_IBAN_COUNTRIES = (  # of the registry of ISO 13616
    "AD AE AL AT AZ BA BE BG BH BI BR BY CH CR CY CZ DE DJ DK DO EE EG ES FI FK FO FR GB GE GI GL GR GT HN HR HU IE IL IQ"
    " IS IT JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MN MR MT MU NI NL NO OM PK PL PS PT QA RO RS RU SA SC SD SE SI SK SM"
    " SO ST SV TL TN TR UA VA VG XK YE"
)
# Together, or in fours as they are printed.
_IBAN = re.compile(
    r"(?<![A-Z0-9])([A-Z]{2})[0-9]{2}(?:[A-Z0-9]{11,30}|(?:[ -][A-Z0-9]{4}){2,7}(?:[ -][A-Z0-9]{1,3})?)(?![A-Z0-9])"
)
_DIGITS = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
_CARD = re.compile(r"3[0-9]{13,18}|4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[0-9]{15}|6[0-9]{12,18}|2[2-7][0-9]{14}")


def refuse_bank_data(words: str) -> None:
    """Raises VerbError where the words hold what looks like somebody's account or card."""
    for what in _bank_data(_plain(words)):
        raise VerbError(f"that looks like {what}, which has no place here: the ledger holds nobody's account")


def refuse_payee(words: str) -> None:
    """The same, and no address either: a reference names a payment, and not whom it went to."""
    refuse_bank_data(words)
    if re.search(r"[^\s@]@[^\s@]", _plain(words)):
        raise VerbError("that looks like an address, which has no place here: write your own number of the payment")


def _plain(words: str) -> str:
    return unicodedata.normalize("NFKC", words).upper()


def _bank_data(words: str) -> Iterator[str]:
    if any(found[1] in _IBAN_COUNTRIES.split() for found in _IBAN.finditer(words)):
        yield "an IBAN"
    numbers = (re.sub(r"[ -]", "", found[0]) for found in _DIGITS.finditer(words))
    if any(_CARD.fullmatch(number) and _luhn(number) for number in numbers):
        yield "a card number"


def _luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    doubled = (int(d) * 2 if place % 2 else int(d) for place, d in enumerate(reversed(number)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
