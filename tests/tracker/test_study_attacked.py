"""The study against floods, forged senders, poison, and processes that get in each other's way."""

from __future__ import annotations

import random
from email.message import EmailMessage
from threading import Thread

from sqlalchemy import Engine

from tests.ticket.scene import MAILBOX, mail
from tests.tracker.test_study import REPORT, decide_only, shown, team_mail
from tests.tracker.tracked import Tracked, open_tracker
from triaged.reading.likeness import SHOWN, Collection, Profile, rank
from triaged.tracker import studying
from triaged.tracker.engine import reading, writing
from triaged.tracker.known_issues import add


def invented_words(count: int, of: random.Random) -> list[str]:
    return ["".join(of.choices("abcdefghijklmnop", k=7)) for _ in range(count)]


def test_processes_that_index_reports_with_words_in_common_do_not_lock_each_other_out(postgres_engine: Engine) -> None:
    tracked = open_tracker(postgres_engine)
    of = random.Random(4)
    words = invented_words(300, of)
    raws = (
        mail(f"p{n}@s{n}.example", proven=True, text="I found a vulnerability: " + " ".join(of.sample(words, 120)))
        for n in range(150)
    )
    decide_only(tracked, *raws)
    threads = [Thread(target=tracked.another(f"elsewhere:{n}:b").study) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(tracked.letters("relay")) == 150, "a thread that was locked out left its rows"


def test_a_flood_of_one_report_hides_neither_the_first_of_it_nor_the_teams_own_list(tracked_sqlite: Tracked) -> None:
    tracked = tracked_sqlite
    listed = (
        "The search page answers with what stands in the parameter term, unescaped: cross-site scripting in ImageProxy."
    )
    with writing(tracked.engine) as connection:
        add(connection, "default", "SEC-1", "Stored script in search", listed, tracked.at)
    tracked.receive(mail("first@x.example", proven=True, text=REPORT))
    flood = (REPORT.replace("Noa", f"E{n}") + f"\nvariant {n * 7919}" for n in range(60))
    tracked.receive(*(mail(f"e{n}@e{n}.example", subject="XSS", text=text) for n, text in enumerate(flood)))
    again = REPORT.replace("Hello", "Dear team").replace("Noa", "Kim").replace("see the dialog", "watch the alert")
    tracked.receive(mail("kim@third.example", proven=True, subject="reflected script in search", text=again))
    told = team_mail(tracked, tracked.refs()[-1])
    assert "May repeat:   known:SEC-1" in told and tracked.refs()[0] in told


def test_a_report_that_names_a_hundred_places_is_not_what_every_later_report_repeats() -> None:
    asked = Profile("new", {}, frozenset({"path:/search", "parameter:term"}))
    one = Profile("one", {}, asked.marks)
    dump = Profile("dump", {}, asked.marks | {f"{kind}:{n}" for kind in ("path", "parameter") for n in range(100)})
    likes = {like.key: like.score for like in rank(asked, [one, dump], Collection(1000, {}), least=0.0)}
    assert likes["one"] > SHOWN > 5 * likes["dump"]


def test_what_a_hundred_places_have_in_common_is_said_in_a_few_words(tracked: Tracked) -> None:
    """And a parameter's name, which may hold anything behind a percent sign, on one line of printable letters."""
    odd = "https://app.example.test/x?a%00b=1&c%0AMay%20repeat:=2&%E2%80%AEd=3\n"
    places = "".join(f"https://app.example.test/{chr(97 + n % 26) * (n + 1)}?q{'z' * n}=1\n" for n in range(90))
    tracked.receive(mail("a@b.example", text=f"XSS found\n{odd}{places}"))
    tracked.receive(mail("c@d.example", text=f"Hello team, we found cross-site scripting\n{odd}{places}"))
    (like,) = shown(tracked, tracked.refs()[1])["duplicates"]
    assert sum(map(len, like["why"])) < 1500 and any("and 8" in why for why in like["why"])
    assert all(why.isprintable() for why in like["why"])


def test_a_forged_sender_is_not_called_the_same_person(tracked_sqlite: Tracked) -> None:
    """AT-11: nothing proves the second mail; the address is all that is known to be the same."""
    tracked_sqlite.receive(mail(proven=True, text=REPORT))
    tracked_sqlite.receive(mail(proven=False, text=f"{REPORT}\nMore."))
    told = team_mail(tracked_sqlite, tracked_sqlite.refs()[1])
    assert "person" not in told.partition("\n> ")[0] and "from the same address" in told


def test_what_nothing_proves_ticks_off_no_gap_of_a_proven_report(tracked_sqlite: Tracked) -> None:
    """A forged follow-up must not tell the team that the steps are there."""
    tracked = tracked_sqlite
    tracked.receive(mail(proven=True, subject="XSS", text="Your search page has cross-site scripting."))
    ref = tracked.refs()[0]
    asked = shown(tracked, ref)["missing"]
    (thanks,) = [
        m for m in shown(tracked, ref)["messages"] if m["direction"] == "out" and m["audience"] == "researcher"
    ]
    about = f"In-Reply-To: {thanks['message_id']}"
    tracked.receive(mail(subject="Re: XSS", text=REPORT, fields=(about,)))
    assert shown(tracked, ref)["missing"] == asked != []
    tracked.receive(mail(proven=True, subject="Re: XSS", text=f"{REPORT}\n.", fields=(about,)))
    assert shown(tracked, ref)["missing"] == []


def test_a_file_that_everybody_sends_does_not_hide_one_that_two_sent(tracked_sqlite: Tracked) -> None:
    tracked = tracked_sqlite
    tracked.receive(with_file("one", b"evidence"), *(with_file(f"f{n}", b"flood") for n in range(30)))
    decide_only(tracked, with_file("two", b"evidence"), with_file("last", b"flood"))
    with reading(tracked.engine) as connection:
        waiting = studying.load(connection, [32, 33])
        found = studying.around(connection, waiting, most=10)
    evidence, flood = waiting
    assert list(found.same_files(evidence).values()) == [(tracked.refs()[0],)]
    assert [len(refs) for refs in found.same_files(flood).values()] == [studying.MOST_ELSEWHERE]


def with_file(name: str, content: bytes) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = f"{name}@{name}.example", MAILBOX, f"a bug of {name}"
    letter.set_content(f"The page of {name} runs what stands in its address.")
    letter.add_attachment(content, maintype="application", subtype="octet-stream", filename="poc.bin")
    return letter.as_bytes()
