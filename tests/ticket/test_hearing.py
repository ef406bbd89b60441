"""Who hears of what: every setting, whose the ticket is, who is away (law 8: nothing goes to nobody)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tests.ticket.scene import DESK, TEAM
from triaged.ticket.desk import Colleague, Desk
from triaged.ticket.hearing import board_hearers, gone_lines, hearers

ALL, MINE, BOARD, LOOKS = "All@example.test", "Mine@example.test", "Board@example.test", "Looks@example.test"
PEOPLE = {
    ALL: Colleague("Ali", ALL, "triager", "all"),
    MINE: Colleague("Min", MINE, "lead", "mine"),
    BOARD: Colleague("Bo", BOARD, "triager", "board"),
    LOOKS: Colleague("Lo", LOOKS, "observer", "board"),
}
HOUSE = replace(DESK, notify=(), members={address.lower(): one for address, one in PEOPLE.items()})
WITH_TEAM = replace(HOUSE, notify=(TEAM,))
NAMES = {ALL: "all", MINE: "mine", BOARD: "board", LOOKS: "looks", TEAM: "team"}

# (assigned to, away): who hears, without an address of the team's. Each row is one rule of docs/conversations.md.
TABLE = {
    ("", ""): "all",
    ("", "all"): "mine board",  # nobody would hear: all who work on tickets do
    ("", "mine"): "all",
    ("", "board"): "all",
    ("", "looks"): "all",
    ("", "all mine"): "board",
    ("", "all board"): "mine",
    ("", "mine board"): "all",
    ("", "all mine board"): "all mine board",  # away, and nobody else is left
    ("all", ""): "all",
    ("all", "all"): "mine board",
    ("all", "mine"): "all",
    ("all", "board"): "all",
    ("all", "looks"): "all",
    ("all", "all mine"): "board",
    ("all", "all board"): "mine",
    ("all", "mine board"): "all",
    ("all", "all mine board"): "all mine board",
    ("mine", ""): "all mine",
    ("mine", "all"): "mine",
    ("mine", "mine"): "all board",  # whose it is is away: the others hear
    ("mine", "board"): "all mine",
    ("mine", "looks"): "all mine",
    ("mine", "all mine"): "board",
    ("mine", "all board"): "mine",
    ("mine", "mine board"): "all",
    ("mine", "all mine board"): "all mine board",
    ("board", ""): "all",  # theirs, and they want the board only
    ("board", "all"): "mine board",
    ("board", "mine"): "all",
    ("board", "board"): "all mine",
    ("board", "looks"): "all",
    ("board", "all mine"): "board",
    ("board", "all board"): "mine",
    ("board", "mine board"): "all",
    ("board", "all mine board"): "all mine board",
    ("looks", ""): "all",
    ("looks", "all"): "mine board",
    ("looks", "mine"): "all",
    ("looks", "board"): "all",
    ("looks", "looks"): "all mine board",
    ("looks", "all mine"): "board",
    ("looks", "all board"): "mine",
    ("looks", "mine board"): "all",
    ("looks", "all mine board"): "all mine board",
}


def addresses(names: str) -> frozenset[str]:
    return frozenset(f"{name}@example.test" for name in names.split())


def whose(name: str) -> str:
    return f"{name}@example.test" if name else ""


def named(heard: tuple[str, ...]) -> str:
    return " ".join(NAMES[address] for address in heard)


def test_who_hears_is_as_the_table_says() -> None:
    found = {(a, gone): named(hearers(HOUSE, whose(a), addresses(gone))) for a, gone in TABLE}
    assert {key: " ".join(sorted(v.split())) for key, v in found.items()} == {
        key: " ".join(sorted(v.split())) for key, v in TABLE.items()
    }


def test_the_table_has_every_setting_and_every_absence_of_who_works() -> None:
    away = ("", "all", "mine", "board", "looks", "all mine", "all board", "mine board", "all mine board")
    assert set(TABLE) == set(product(("", "all", "mine", "board", "looks"), away))


@pytest.mark.parametrize("assigned", ["", "all", "mine", "board", "looks"])
@pytest.mark.parametrize("away", ["", "all", "mine", "all mine board looks"])
def test_the_teams_own_address_always_hears_and_is_first(assigned: str, away: str) -> None:
    heard = hearers(WITH_TEAM, whose(assigned), addresses(away))
    assert heard[0] == TEAM and len(heard) == len(set(heard))


@pytest.mark.parametrize(("assigned", "away"), list(TABLE))
def test_nothing_goes_to_nobody_and_nobody_hears_twice(assigned: str, away: str) -> None:
    """Law 8."""
    for house in (HOUSE, WITH_TEAM, replace(WITH_TEAM, notify=(TEAM, "ALL@example.test", "mine@EXAMPLE.test"))):
        heard = [address.lower() for address in hearers(house, whose(assigned), addresses(away))]
        assert heard and len(heard) == len(set(heard))


def test_addresses_are_as_the_configuration_writes_them_first() -> None:
    house = replace(HOUSE, notify=("Team@Example.test", "TEAM@example.test", "all@example.test"))
    assert hearers(house) == ("Team@Example.test", "all@example.test")


def test_who_is_no_member_any_more_leaves_the_ticket_to_all() -> None:
    assert named(hearers(HOUSE, "gone@example.test")) == "all mine board"
    assert gone_lines("gone@example.test", frozenset(), HOUSE) == (
        "it is assigned to gone@example.test, who is no member any more",
    )


def test_who_has_it_already_is_left_out_and_makes_nobody_else_hear() -> None:
    """The author of a note knows of it: that nobody else wants to hear is no reason to write to all."""
    assert named(hearers(WITH_TEAM, but=addresses("all"))) == "team"
    assert hearers(HOUSE, but=addresses("all")) == ()
    assert named(hearers(HOUSE, whose("mine"), addresses("mine"), addresses("board"))) == "all"


def test_only_who_is_away_is_noted_and_in_one_line() -> None:
    assert gone_lines("mine@example.test", addresses("all"), HOUSE) == ()
    assert gone_lines("", addresses("all"), HOUSE) == ()
    assert gone_lines("all@example.test", addresses("all"), HOUSE) == ("it is assigned to Ali, who is away",)


@pytest.mark.parametrize(
    ("away", "heard"),
    [
        ("", "team all mine board looks"),
        ("all looks", "team mine board"),
        ("all mine board looks", "team"),
    ],
)
def test_the_board_goes_to_all_whatever_their_setting_but_who_is_away(away: str, heard: str) -> None:
    assert named(board_hearers(WITH_TEAM, addresses(away))) == heard


def test_a_board_whose_readers_are_all_away_goes_to_all_of_them() -> None:
    """Law 8."""
    assert named(board_hearers(HOUSE, addresses("all mine board looks"))) == "all mine board looks"


def test_a_team_of_onlookers_hears() -> None:
    house: Desk = replace(HOUSE, members={LOOKS.lower(): PEOPLE[LOOKS]})
    assert named(hearers(house)) == "looks"
    assert hearers(replace(house, members={})) == ()
