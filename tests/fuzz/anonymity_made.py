"""What is made of a tenant's tickets for eyes outside: site, ledger of rewards, hand-over, numbers, receipts. Looks for nothing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path

from tests.fuzz.anonymity_play import ADVISORY, HALL, HOUSE, PARTIES
from tests.tracker.tracked import Tracked
from triaged.cli import handover, publish, receipt, reward
from triaged.cli.export import archive
from triaged.cli.promises import document
from triaged.cli.signing import with_key
from triaged.daemon import publishing
from triaged.daemon.tending import desk_of
from triaged.publication import transparency
from triaged.publication.files import published
from triaged.publication.site import site_files
from triaged.publication.spreadsheet import csv_file
from triaged.ticket.consent import Purpose
from triaged.ticket.signing import public_pem
from triaged.tracker import advisories, consents, held, installation, promises, receipting, rewards
from triaged.tracker.disclosing import disclose_due
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import advisory, ticket

SITE = HOUSE.policy.publish.site
WHOLE = (
    "whole"  # with a third party's name: whoever agreed to hand their report over, agreed to all that they wrote in it
)

Artefacts = Mapping[str, bytes]  # name -> bytes; before the first colon the ticket that it is of, "" where it is of all


def _json(value: object, *, ascii_only: bool = False) -> bytes:
    return json.dumps(value, default=str, ensure_ascii=ascii_only).encode()


# --- names as they are given ---


def hall_of_fame(tracked: Tracked, tenant: str) -> Artefacts:
    with reading(tracked.engine) as connection:
        years = consents.hall(connection, tenant, HOUSE.policy.calendar.tzinfo)
    return {":hall.json": _json([asdict(year) for year in years])}


def credits_of_advisories(tracked: Tracked, tenant: str) -> Artefacts:
    refs = {row.id: row.ref for row in tracked.rows(ticket, tenant=tenant)}
    with reading(tracked.engine) as connection:
        names = consents.names_for(connection, tenant, Purpose.ADVISORY)
    return {f"{refs[n]}:credits.json": _json(credits_, ascii_only=True) for n, credits_ in names.items()}


def of_advisory(name: str) -> Collection[str]:
    return (f"{ADVISORY}:{name.partition(':')[0]}",)


def names_for_a_party(tracked: Tracked, tenant: str) -> Artefacts:
    found = {}
    with reading(tracked.engine) as connection:
        for row in tracked.rows(ticket, tenant=tenant):
            for party in PARTIES:
                found[f"{row.ref}:{party}/names.json"] = _json(consents.sharing(connection, row.id, party))
    return found


def of_party(name: str) -> Collection[str]:
    ref, _, rest = name.partition(":")
    return (f"{rest.partition('/')[0]}:{ref}",)


# --- the site ---


def disclose(tracked: Tracked) -> None:
    """Whatever may be published at this instant becomes public, as `triaged publish` does it."""
    desks = tracked.desks
    with writing(tracked.engine) as connection:
        found = advisories.candidates(connection, HOUSE.tenant, desks, tracked.at)
        disclose_due(connection, found, lambda one: desk_of(one, desks), SITE, tracked.at, tracked.entropy)


def site(folder: Path, tracked: Tracked, tenant: str) -> Artefacts:
    """Published into the folder, over what was published there before; every file as it lies there then."""
    disclose(tracked)
    with writing(tracked.engine) as connection:
        publishing.revise(connection, tenant, HOUSE.policy, tracked.at)
        key = public_pem(installation.signing_key(connection, tracked.at, tracked.entropy))
        values = publishing.site_of(connection, tenant, HOUSE.mailbox, HOUSE.policy, key, tracked.at)
        files = site_files(values)
    publish._write(folder, files, publish._compared(folder, files))
    refs = {row.id: row.ref for row in tracked.rows(ticket)}
    names = {row.name.lower(): refs[row.ticket_id] for row in tracked.rows(advisory) if row.published_at}
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {f"{_ref(path.name, names)}:{path.relative_to(folder)}": path.read_bytes() for path in paths}


def _ref(file: str, names: Mapping[str, str]) -> str:
    return next((ref for name, ref in names.items() if file.lower().startswith(f"{name}.")), "")


_PLACES = {"hall-of-fame": HALL, "hall-of-fame.json": HALL, "advisories.json": ADVISORY}


def of_site(name: str) -> Collection[str]:
    """An advisory's thanks stand in its own files and in the list of all, a year's in the Hall of Fame, and no name elsewhere."""
    ref, _, path = name.partition(":")
    if ref:
        return (f"{ADVISORY}:{ref}",)
    place = path.partition("/")[0]
    return (_PLACES[place],) if place in _PLACES else ()


# --- ledger, hand-over, numbers, receipts ---


def ledger_of_rewards(tracked: Tracked, tenant: str) -> Artefacts:
    with reading(tracked.engine) as connection:
        found = rewards.ledger(connection, tenant)
    files = {":rewards.json": _json(found)}
    for name, columns in (("rewards", reward._COLUMNS), ("rewards with reasons", (*reward._COLUMNS, "why"))):
        files[f":{name}.csv"] = csv_file(columns, [[one[c] for c in columns] for one in found]).encode()
    return files


def handed_over(tracked: Tracked, tenant: str) -> Artefacts:
    """Every file of every archive, its attachments too, and the archive's list of names."""
    found: dict[str, bytes] = {}
    party = PARTIES[0]
    with writing(tracked.engine) as connection:
        seed = installation.signing_key(connection, tracked.at, tracked.entropy)
        for row in tracked.rows(ticket, tenant=tenant):
            bundle = held.for_third_party(connection, row.token, party, attachments=True)
            assert bundle is not None
            packed = zipfile.ZipFile(io.BytesIO(archive(handover.signed(handover.contents(bundle), seed))))
            found[f"{row.ref}:{party}/"] = "\n".join(packed.namelist()).encode()
            found |= {f"{row.ref}:{party}/{name}": packed.read(name) for name in packed.namelist()}
    return found


def of_hand_over(name: str) -> Collection[str]:
    ref, _, rest = name.partition(":")
    return (f"{WHOLE} {rest.partition('/')[0]}:{ref}",)


def kept_promises(tracked: Tracked, tenant: str) -> Artefacts:
    span = promises.Span()
    with reading(tracked.engine) as connection:
        rounds, reports = promises.rounds(connection, span), promises.reports(connection, span)
        unchanged = len(promises.unchanged_letters(connection, span))
    rows = transparency.kept(rounds, HOUSE.policy, tracked.at)
    files = transparency.published(rows, HOUSE.policy.organisation, None, None, tracked.at)
    inside = {":promises, all.json": _json(document(rounds, reports, unchanged, span, tracked.at))}
    return inside | {f":{name}": data for name, data in files.items()}


def signed_receipts(tracked: Tracked, tenant: str) -> Artefacts:
    found = {}
    with writing(tracked.engine) as connection:
        seed = installation.signing_key(connection, tracked.at, tracked.entropy)
        for row in tracked.rows(ticket, tenant=tenant):
            received = receipting.of_ticket(connection, row.token)
            assert received is not None
            found[f"{row.ref}:receipt.json"] = with_key(receipt._signed(received, tracked.at), seed)
    return found


def policy_files(tracked: Tracked, tenant: str) -> Artefacts:
    return {f":{name}": data for name, data in published(HOUSE.policy, tracked.at).items()}
