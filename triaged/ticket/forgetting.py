"""Who may have something forgotten, and what can't be: the answers in words. Erases nothing."""

from __future__ import annotations

from collections.abc import Collection


def cannot_be_forgotten(address: str, mailboxes: Collection[str], members: Collection[str]) -> str:
    """Why not; "" where it can. Addresses are lower-case."""
    if address in mailboxes:
        return f"{address} is a mailbox of this installation: its mail is everybody's, forget a ticket or a person"
    if address in members:
        return f"{address} is of the team: take the member out of the configuration first"
    return ""


def may_not_confirm(by: str, proposer: str, members: int, two_person: bool) -> str:
    """Why `by` may not have it done now; "" where they may. `proposer`: "" where nobody proposed it."""
    if not two_person or members < 2:
        return ""
    if by == "operator":
        return "an erasure needs a second member: say who confirms it with --as MEMBER"
    if not proposer:
        return "an erasure needs two members: propose it with --as MEMBER first, and let another one --confirm it"
    if proposer == by:
        return "whoever proposed an erasure can't confirm it: another member has to, with --as OTHER --confirm"
    return ""
