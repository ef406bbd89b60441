"""An advisory's product and versions → CSAF's tree of products, and which of them are affected and fixed. Checks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from triaged.policy.model import Policy
from triaged.publication.advisory import product
from triaged.publication.cleaning import one_line
from triaged.publication.values import Advisory
from triaged.publication.versions import read, scheme, singles, vers


@dataclass(frozen=True, slots=True)
class Products:
    """The tree, and the numbers of the products within it."""

    tree: dict[str, Any]
    affected: tuple[str, ...]
    fixed: tuple[str, ...]


def products(advisory: Advisory, policy: Policy) -> Products:
    """Vendor, product, version: the levels that CSAF recommends (section 3.1.2)."""
    leaves = [*_affected(advisory), *_fixed(advisory)]
    numbered = [(f"CSAFPID-{number:04}", *leaf) for number, leaf in enumerate(leaves, 1)]
    name, vendor = product(advisory, policy), one_line(policy.organisation)
    branches = [_branch(number, category, label, f"{vendor} {name}") for number, category, label, _ in numbered]
    if not any(category for _, category, _, _ in numbered):
        tree: dict[str, Any] = {"category": "product_name", "name": name, "product": branches[0]["product"]}
    else:
        tree = {"category": "product_name", "name": name, "branches": branches}
    return Products(
        {"branches": [{"category": "vendor", "name": vendor, "branches": [tree]}]},
        tuple(number for number, _, _, fixed in numbered if not fixed),
        tuple(number for number, _, _, fixed in numbered if fixed),
    )


def _affected(advisory: Advisory) -> Iterator[tuple[str, str, bool]]:
    found = read(advisory.affected, advisory.fixed_in)
    kind = scheme(found)
    yield from (("product_version_range", vers(one, kind), False) for one in found.ranges)
    yield from (("product_version", one, False) for one in found.single)
    if not found.ranges and not found.single:
        # Words that are no versions: a level that makes no claim to be compared, and reads the same.
        yield ("specification", found.words, False) if found.words else ("", "", False)


def _fixed(advisory: Advisory) -> Iterator[tuple[str, str, bool]]:
    # Without versions that are affected there is nothing beside which a fixed one could stand (6.1.27.13 of CSAF 2.1).
    if one_line(advisory.affected):
        yield from (("product_version", one, True) for one in singles(advisory.fixed_in))


def _branch(number: str, category: str, label: str, name: str) -> dict[str, Any]:
    return {"category": category, "name": label, "product": {"name": f"{name} {label}".strip(), "product_id": number}}
