"""Amounts of money as people write them. Reads words; what two readers could take for two amounts is refused, never guessed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from triaged.policy.terms import Reward
from triaged.ticket.verbs import MisreadError, VerbError

MOST_AMOUNT = 100_000_000  # whole units: more is a slip of the pen in any currency
MOST_WHY = 1000  # characters of a reason

_CURRENCIES = (  # ISO 4217, those in circulation
    "CUR REN CIE AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD"
    " CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL"
    " HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA"
    " MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB"
    " RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU"
    " UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_CURRENCIES.split())
# Codes that are words of English or of our trade: in small letters they begin a reason.
_WORDS = "all amd ang ars bam bob cop cup cve gel lak mad mop mur pen php ron sos svc top try"
_SIGNS = {"€": "EUR", "£": "GBP", "₪": "ILS", "₹": "INR", "₩": "KRW", "₺": "TRY", "₴": "UAH", "₫": "VND", "₦": "NGN"}
# Signs of several currencies: which one is meant only the policy can say.
_SHARED = {
    "$": "AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD USD XCD",
    "¥": "CNY JPY",
    "₱": "CUP PHP",
}
_ALL_SIGNS = "".join((*_SIGNS, *_SHARED))
_MARKS = ".,'\N{RIGHT SINGLE QUOTATION MARK}"  # that people put between digits


@dataclass(frozen=True, slots=True)
class Asked:
    """An amount with its reason, as a member wrote it."""

    amount: int
    currency: str
    quality: str
    why: str


def read_amount(words: str, terms: Reward) -> Asked:
    """AMOUNT [CURRENCY] [quality WORD] REASON, the currency before or after. Raises VerbError with the mend."""
    named, parts = _leading_currency(words.split(), terms)
    amount, sign, parts = _number(parts)
    trailing, parts = (_of_sign(sign, terms), parts) if sign else _trailing_currency(parts, terms)
    quality, parts = _quality(parts, terms)
    why = " ".join(parts)
    if not why:
        raise MisreadError("say why, after the amount: the team reads it, the researcher does not")
    return Asked(amount, _currency([one for one in (named, trailing) if one], terms), quality, reason(why))


def _leading_currency(parts: list[str], terms: Reward) -> tuple[str, list[str]]:
    """EUR 500, €500, € 500."""
    if not parts:
        raise MisreadError("write an amount and a reason, as in /reward 500 EUR well written, or /reward none REASON")
    if parts[0].upper() in CURRENCIES:
        return parts[0].upper(), parts[1:]
    if parts[0][0] in _ALL_SIGNS:
        rest = [parts[0][1:]] if parts[0][1:] else []
        return _of_sign(parts[0][0], terms), [*rest, *parts[1:]]
    return "", parts


def _number(parts: list[str]) -> tuple[int, str, list[str]]:
    """The amount, a sign that follows it without a space, and the rest."""
    if not parts:
        raise MisreadError("write the amount beside its currency, as in 500 EUR")
    written = parts[0].rstrip(";:").removesuffix(",") if len(parts) > 1 else parts[0]
    found = re.fullmatch(rf"([0-9{_MARKS}]+)([{re.escape(_ALL_SIGNS)}]?)", written)
    whole = _whole(found[1]) if found else None
    if found is None or whole is None:
        raise MisreadError(_unread(written))
    if not 0 < whole <= MOST_AMOUNT:
        most = f"an amount is from 1 to {MOST_AMOUNT:,}"
        raise VerbError(f"{most}: write /reward none REASON for no reward" if whole == 0 else most)
    if len(parts) > 1 and re.fullmatch(rf"[0-9][0-9{_MARKS}]*", parts[1]):
        raise MisreadError(f"it can't be told whether {parts[1][:20]!r} belongs to the amount: write it without spaces")
    return whole, found[2], parts[1:]


def _whole(written: str) -> int | None:
    """500, 1,500 or 1'500: digits, or groups of three with one kind of mark between them. A point is read either way."""
    plain = re.fullmatch(r"0|[1-9][0-9]{0,15}", written)
    grouped = re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:(?:,[0-9]{{3}}){{1,4}}|(?:[{_MARKS[2:]}][0-9]{{3}}){{1,4}})", written)
    return int(re.sub(rf"[{_MARKS}]", "", written)) if plain or grouped else None


def _unread(written: str) -> str:
    shown = repr(written[:40])
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+", written):
        digits = written.replace(".", "")
        return f"{shown} is {digits} to one reader and {written.split('.')[0]} to another: write {digits}"
    if re.fullmatch(rf"[0-9{_MARKS}]+", written):
        return f"{shown} can't be read: write whole units, as in 1500 or 1,500"
    if any(unicodedata.category(sign) == "Nd" and not sign.isascii() for sign in written):
        return f"{shown} is written with other digits than 0 to 9: write it with these"
    return f"{shown} is no amount: write whole units, as in 500, 1,500 or 500 EUR, or /reward none REASON"


def _trailing_currency(parts: list[str], terms: Reward) -> tuple[str, list[str]]:
    """500 EUR, 500 €: in small letters too, where it is the policy's or can be no other word of a reason."""
    if not parts:
        return "", parts
    word = parts[0].strip(",;:.")
    if len(word) == 1 and word in _ALL_SIGNS:
        return _of_sign(word, terms), parts[1:]
    code = word.upper()
    meant = word.isupper() or code == terms.currency or word.lower() not in _WORDS.split()
    return (code, parts[1:]) if code in CURRENCIES and meant else ("", parts)


def _of_sign(sign: str, terms: Reward) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    several = _SHARED[sign].split()
    if terms.currency in several:
        return terms.currency
    example = "USD" if "USD" in several else several[0]
    raise VerbError(f"{sign} is the sign of several currencies: write the code, as in 500 {example}")


def _currency(named: list[str], terms: Reward) -> str:
    if len(set(named)) > 1:
        raise VerbError(f"{' and '.join(named)} are two currencies: write one")
    if not named and not terms.currency:
        raise MisreadError("the policy names no currency: write it after the amount, as in 500 EUR")
    if named and terms.currency and named[0] != terms.currency:
        raise VerbError(f"the policy's rewards are in {terms.currency}, and you wrote {named[0]}")
    return named[0] if named else terms.currency


def _quality(parts: list[str], terms: Reward) -> tuple[str, list[str]]:
    """The report's quality, by the policy's names. Without such names, the word belongs to the reason."""
    if not terms.qualities or not parts or parts[0].lower().rstrip(":") != "quality":
        return "", parts
    word = parts[1].lower().strip(",;.") if len(parts) > 1 else ""
    if word not in terms.qualities:
        raise VerbError(f"{word[:40]!r} is no quality of the policy: write one of {', '.join(terms.qualities)}")
    return word, parts[2:]


def reason(why: str) -> str:
    """The reason, if it is not too long to be one."""
    if len(why) > MOST_WHY:
        raise VerbError(f"the reason is longer than {MOST_WHY} characters: write the rest under /note")
    return why
