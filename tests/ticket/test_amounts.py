"""Amounts as people write them: one reading, or a sentence that says how to write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.policy.terms import Reward
from triaged.ticket.amounts import MOST_AMOUNT, read_amount
from triaged.ticket.bank_data import refuse_bank_data, refuse_payee
from triaged.ticket.verbs import VerbError

FREE = Reward(offered=True)
EUR = Reward(offered=True, currency="EUR", qualities=("plain", "good"))
CAD = Reward(offered=True, currency="CAD")

READ = {
    "500 EUR well written": (FREE, 500, "EUR"),
    "500 eur well written": (FREE, 500, "EUR"),
    "500 Eur, well written": (FREE, 500, "EUR"),
    "EUR 500 well written": (FREE, 500, "EUR"),
    "eur 500 well written": (FREE, 500, "EUR"),
    "€500 well written": (FREE, 500, "EUR"),
    "€ 500 well written": (FREE, 500, "EUR"),
    "500€ well written": (FREE, 500, "EUR"),
    "500 € well written": (FREE, 500, "EUR"),
    "€500 EUR well written": (FREE, 500, "EUR"),
    "1,500 CHF well written": (FREE, 1500, "CHF"),
    "1'500 CHF well written": (FREE, 1500, "CHF"),
    "1\N{RIGHT SINGLE QUOTATION MARK}500 CHF well written": (FREE, 1500, "CHF"),
    "1,500,000 JPY well written": (FREE, 1_500_000, "JPY"),
    "500 well written": (EUR, 500, "EUR"),
    "500, well written": (EUR, 500, "EUR"),
    "500: well written": (EUR, 500, "EUR"),
    "500 EUR: well written": (EUR, 500, "EUR"),
    "$500 well written": (CAD, 500, "CAD"),
    "500 try harder": (EUR, 500, "EUR"),
    "500 php code runs": (EUR, 500, "EUR"),
}


@pytest.mark.parametrize("words", READ)
def test_an_amount_is_read_as_people_write_it(words: str) -> None:
    terms, amount, currency = READ[words]
    found = read_amount(words, terms)
    assert (found.amount, found.currency) == (amount, currency)
    assert found.why.endswith(("written", "harder", "runs"))


REFUSED = {
    "1.500 EUR x": "1500 to one reader and 1 to another",
    "1.500.000 EUR x": "to one reader",
    "1,50 EUR x": "whole units",
    "1,5 EUR x": "whole units",
    "1,500.00 EUR x": "whole units",
    "1,500'000 EUR x": "whole units",
    "15,00 EUR x": "whole units",
    "500.00 EUR x": "whole units",
    "0.5 EUR x": "whole units",
    "0500 EUR x": "whole units",
    "12,34,567 EUR x": "whole units",
    "1 500 EUR x": "belongs to the amount",
    "0 EUR x": "/reward none",
    "-500 EUR x": "no amount",
    "\N{MINUS SIGN}500 EUR x": "no amount",
    "+500 EUR x": "no amount",
    "1e9 EUR x": "no amount",
    "NaN EUR x": "no amount",
    "inf EUR x": "no amount",
    "0x1F EUR x": "no amount",
    "500k EUR x": "no amount",
    "five EUR x": "no amount",
    "1_500 EUR x": "no amount",
    "\uff15\uff10\uff10 EUR x": "other digits",
    "\u0665\u0660\u0660 EUR x": "other digits",
    "5\u200b00 EUR x": "no amount",
    "100000001 EUR x": "from 1 to 100,000,000",
    "999999999999999 EUR x": "from 1 to 100,000,000",
    "9" * 400 + " EUR x": "whole units",
    "500 x": "names no currency",
    "500 EUR": "say why",
    "500": "say why",
    "": "an amount and a reason",
    "EUR": "beside its currency",
    "€": "beside its currency",
    "€500 CHF x": "two currencies",
    "EUR 500 USD x": "two currencies",
    "$500 x": "several currencies",
    "¥500 x": "several currencies",
    "500 XXX x": "names no currency",
    "500 EUR " + "x" * 1001: "longer than 1000",
}


@pytest.mark.parametrize("words", REFUSED, ids=lambda words: ascii(words[:24]))
def test_what_is_no_amount_to_everybody_is_refused_in_words(words: str) -> None:
    with pytest.raises(VerbError, match=REFUSED[words]):
        read_amount(words, FREE)


@pytest.mark.parametrize("words", ["500 USD x", "500 usd x", "$500 x", "£500 x", "USD 500 x"])
def test_another_currency_than_the_policys_is_refused(words: str) -> None:
    """Never read as the policy's, with the other as the first word of the reason."""
    with pytest.raises(VerbError, match=r"in EUR|several currencies"):
        read_amount(words, EUR)


def test_a_quality_is_one_of_the_policys() -> None:
    assert read_amount("500 quality good for the steps", EUR).quality == "good"
    assert read_amount("500 EUR Quality: GOOD, for the steps", EUR).quality == "good"
    assert read_amount("500 for its quality", EUR).quality == ""
    assert read_amount("500 EUR quality good", FREE).why == "quality good", "without qualities it is a reason"
    for words in ("500 quality excellent x", "500 quality"):
        with pytest.raises(VerbError, match="plain, good"):
            read_amount(words, EUR)


@given(st.text(max_size=40), st.sampled_from([FREE, EUR, CAD]))
def test_whatever_is_written_is_read_or_refused_in_words(words: str, terms: Reward) -> None:
    try:
        found = read_amount(words, terms)
    except VerbError as error:
        assert str(error)
    else:
        assert 1 <= found.amount <= MOST_AMOUNT and len(found.currency) == 3 and found.why


@given(st.integers(1, MOST_AMOUNT), st.sampled_from(["{}", "{:,}"]))
def test_every_amount_within_the_limit_can_be_written(amount: int, form: str) -> None:
    assert read_amount(f"{form.format(amount)} EUR x", FREE).amount == amount


PAYEES = [
    "DE89 3704 0044 0532 0130 00",
    "DE89370400440532013000",
    "de89370400440532013000",
    "by IBAN GB29NWBK60161331926819 today",
    "CH93-0076-2011-6238-5295-7",
    "NO9386011117947",
    "\uff24\uff25\uff18\uff19370400440532013000",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "5555555555554444",
    "378282246310005",
    "2223003122003222",
    "card 6011111111111117",
    "paypal noa@example.org",
]


@pytest.mark.parametrize("words", PAYEES)
def test_what_looks_like_a_payee_is_refused(words: str) -> None:
    with pytest.raises(VerbError, match="no place here"):
        refuse_payee(words)


@pytest.mark.parametrize(
    "words",
    ["PO-2026-118", "invoice 2026/0118 of 28 November 2026", "20261128-000123", "4111 1111 1111 1112", "SEC-17", "0"],
)
def test_a_number_of_ones_own_is_no_payee(words: str) -> None:
    refuse_payee(words)


def test_a_reason_may_name_an_address_and_no_account() -> None:
    refuse_bank_data("it is 12 months since admin@example.test was told, in 40 steps of 3 lines and more")
    with pytest.raises(VerbError):
        refuse_bank_data("500 EUR to DE89 3704 0044 0532 0130 00")
