"""Finding candidates in the database: the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select, update

from triaged.reading.likeness import Description, Profile, profile, rank
from triaged.tracker import likeness as tracker
from triaged.tracker.engine import reading, writing

REPORTS = (
    Description("IMS-1", "Stored XSS in comments", "A script in a comment runs for everybody who reads the blog."),
    Description("IMS-2", "Heap overflow in tiff decoder", "tiff_read_strip copies past the end for odd strips."),
    Description("IMS-3", "Password reset token in Referer", "The token leaks.", (("cve", "CVE-2024-1"),)),
)
ASKED = profile(Description("", "Buffer overflow decoding TIFF", "in tiffReadStrip"))


def keep(engine: Engine, tenant: str, *described: Description) -> None:
    with writing(engine) as connection:
        for one in described:
            tracker.index(connection, tenant, profile(one))


def keys(engine: Engine, tenant: str, query: Profile = ASKED, most: int = 200) -> list[str]:
    with reading(engine) as connection:
        return [one.key for one in tracker.candidates(connection, tenant, query, most).profiles]


def test_what_shares_the_rarest_terms_comes_first(engine: Engine) -> None:
    keep(engine, "acme", *REPORTS)
    assert keys(engine, "acme")[0] == "IMS-2"


def test_what_was_kept_is_what_was_told(engine: Engine) -> None:
    keep(engine, "acme", *REPORTS)
    query = profile(Description("", "reset token", "", (("cve", "CVE-2024-1"),)))
    with reading(engine) as connection:
        found = tracker.candidates(connection, "acme", query)
    told = profile(REPORTS[2])
    assert [(one.key, one.terms, one.marks) for one in found.profiles] == [(told.key, told.terms, told.marks)]
    assert rank(query, found.profiles, found.collection)[0].key == "IMS-3"


def test_rarity_is_that_of_the_tenants_descriptions(engine: Engine) -> None:
    keep(engine, "acme", *REPORTS)
    keep(engine, "other", *REPORTS[:2])
    with reading(engine) as connection:
        found = tracker.candidates(connection, "acme", profile(REPORTS[0]))
    told = [profile(one) for one in REPORTS]
    holding = Counter(term for one in told for term in (*one.terms, *one.marks))
    assert found.collection.size == 3
    assert all(holding[term] == count for term, count in found.collection.holding.items())
    assert all(term in found.collection.holding for one in found.profiles for term in one.terms)


def test_no_tenant_finds_anothers(engine: Engine) -> None:
    keep(engine, "acme", *REPORTS)
    assert keys(engine, "other") == []
    keep(engine, "other", Description("X-1", "Buffer overflow", "elsewhere"))
    assert keys(engine, "other") == ["X-1"]
    assert "X-1" not in keys(engine, "acme")


def test_tenants_are_apart_even_where_the_index_says_otherwise(engine: Engine) -> None:
    """As if two tenants' terms had one hash: the entries are acme's, the description is another's."""
    keep(engine, "acme", *REPORTS)
    with writing(engine) as connection:
        connection.execute(update(tracker.likeness).values(tenant="other"))
    assert keys(engine, "acme") == []


def test_two_tenants_may_use_one_key(engine: Engine) -> None:
    keep(engine, "acme", REPORTS[1])
    keep(engine, "other", REPORTS[1])
    with writing(engine) as connection:
        tracker.forget(connection, "acme", "IMS-2")
    assert (keys(engine, "acme"), keys(engine, "other")) == ([], ["IMS-2"])


def test_a_ticket_is_no_candidate_for_itself(engine: Engine) -> None:
    keep(engine, "acme", *REPORTS)
    assert "IMS-2" not in keys(engine, "acme", profile(REPORTS[1]))


def test_indexing_again_replaces(engine: Engine) -> None:
    keep(engine, "acme", *REPORTS)
    keep(engine, "acme", Description("IMS-2", "Open redirect", "after login"))
    assert "IMS-2" not in keys(engine, "acme")
    assert keys(engine, "acme", profile(Description("", "redirect", ""))) == ["IMS-2"]


def test_what_is_forgotten_leaves_nothing(engine: Engine) -> None:
    keep(engine, "acme", *REPORTS)
    with writing(engine) as connection:
        for one in (*REPORTS, Description("IMS-404", "", "")):
            tracker.forget(connection, "acme", one.key)
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(tracker.likeness)).scalar() == 0
        assert connection.execute(select(func.max(tracker.likeness_term.c.descriptions))).scalar() == 0
    assert keys(engine, "acme") == []


def test_a_rolled_back_report_is_not_found(engine: Engine) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:
        tracker.index(connection, "acme", profile(REPORTS[1]))
        raise RuntimeError
    assert keys(engine, "acme") == []


def test_no_more_than_asked_for(engine: Engine) -> None:
    keep(engine, "acme", *(Description(f"IMS-{n}", "Buffer overflow", f"decoder {n}") for n in range(9)))
    assert len(keys(engine, "acme", most=4)) == 4


def test_the_entries_read_are_bounded(engine: Engine) -> None:
    keep(engine, "acme", REPORTS[1], *(Description(f"C-{n}", "Buffer overflow", "somewhere") for n in range(9)))
    with reading(engine) as connection:
        few = tracker.candidates(connection, "acme", ASKED, postings=5)
    assert [one.key for one in few.profiles] == ["IMS-2"]
    assert len(keys(engine, "acme")) == 10


def test_hostile_words_are_only_words(engine: Engine) -> None:
    said = "\" OR tokens:* NEAR(' ); DROP TABLE likeness; -- \0 \ud800 NOT {a} ^b"
    keep(engine, "a'cme\"", Description("IMS-1", said, said, (("cve", said), ("url", "https://x/" + said))))
    query = profile(Description("", said, said, (("cve", said),)))
    assert keys(engine, "a'cme\"", query) == ["IMS-1"]


def test_an_empty_report_finds_nothing(engine: Engine) -> None:
    keep(engine, "acme", *REPORTS, Description("IMS-4", "", ""))
    assert keys(engine, "acme", profile(Description("", "", ""))) == []


def test_the_longest_reports_fit(engine: Engine) -> None:
    long = (Description(f"IMS-{n}", "", " ".join(f"w{n}x{m}" for m in range(5000)) + " overflow") for n in range(60))
    keep(engine, "acme", *long)
    assert len(keys(engine, "acme", profile(Description("", "", "overflow w1x1")))) <= 60


def test_reports_indexed_at_once_wait_for_each_other(engine: Engine) -> None:
    described = [Description(f"IMS-{n}", "Buffer overflow", "in tiffReadStrip and libpng") for n in range(24)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda one: keep(engine, "acme", one), described))
    with reading(engine) as connection:
        assert len(connection.execute(select(tracker.likeness.c.name)).all()) == 24
        assert tracker.candidates(connection, "acme", ASKED).collection.size == 24


def test_of_a_flood_without_a_rare_word_a_few_are_enough(engine: Engine) -> None:
    """What all reports share tells none apart: reading forty of them would cost as much as all the rest of the study."""
    keep(
        engine, "acme", *(Description(f"IMS-{n}", "Buffer overflow", "in tiffReadStrip and libpng") for n in range(60))
    )
    assert len(keys(engine, "acme")) == tracker.FEW_CANDIDATES
    keep(engine, "acme", Description("IMS-60", "Buffer overflow", "in tiffReadStrip and libpng, Quuxfrob"))
    rare = profile(Description("", "Buffer overflow", "in tiffReadStrip, quuxfrob"))
    keep(engine, "acme", Description("IMS-61", "Overflow", "of Quuxfrob"))
    found = keys(engine, "acme", rare)
    assert len(found) > tracker.FEW_CANDIDATES and found[0] == "IMS-60" and "IMS-61" in found
