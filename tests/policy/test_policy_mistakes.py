"""Every mistake in a policy file is said at once, each naming file, key and mend."""

import re
from pathlib import Path

import pytest

from triaged.policy.load import PolicyError, load_policy
from triaged.policy.period import Period, parse_period

HEAD = """
[policy]
organisation = "Example"
prefix = "EX"
contact = "security@example.test"
version = "1"
"""
CALENDAR = """
[calendar]
zone = "Europe/Amsterdam"
country = "NL"
"""
PROMISE = """
[[promise]]
name = "acknowledge"
clause = "an answer within 3 business days"
within = "3 business days"
"""
GOOD = HEAD + CALENDAR + PROMISE


def mistakes(folder: Path, text: str) -> list[str]:
    (folder / "policy.toml").write_text(text)
    with pytest.raises(PolicyError) as caught:
        load_policy(folder / "policy.toml")
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_the_good_file_loads_with_its_defaults(tmp_path):
    (tmp_path / "policy.toml").write_text(GOOD)
    policy = load_policy(tmp_path / "policy.toml")
    (promise,) = policy.promises
    assert (promise.source, promise.number, promise.met_by, promise.pauses) == ("text", "text", "automatic", False)
    assert (policy.calendar.weekend, policy.calendar.closing, policy.text) == (frozenset({5, 6}), 1440, None)
    assert [str(warn.before or f"{warn.percent}%") for warn in promise.warn] == ["50%", "1 business day"]


def test_a_policy_without_promises_loads(tmp_path):
    (tmp_path / "policy.toml").write_text(HEAD + CALENDAR)
    assert load_policy(tmp_path / "policy.toml").promises == ()


def test_the_hash_covers_the_file_and_its_text(tmp_path):
    (tmp_path / "policy.toml").write_text(GOOD.replace('version = "1"', 'version = "1"\ntext = "t.txt"'))
    hashes = set()
    for text in ("We promise an answer\n within 3  business days.", "An answer: an answer within 3 business days"):
        (tmp_path / "t.txt").write_text(text)
        hashes.add(load_policy(tmp_path / "policy.toml").sha256)
    assert len(hashes) == 2


SCALE = '[assessment]\n[[assessment.scale]]\nname = "{}"\nseverity = "{}"\n'

SINGLE = {
    "unknown key": (GOOD + 'withn = "x"\n', 'promise.acknowledge..withn: is not a key.*did you mean "within"'),
    "later table": (GOOD + "[hosting]\n", "hosting: is not a key.*the keys here are policy, calendar, safe_harbour"),
    "zero": (GOOD.replace('"3 business days"', '"0 days"'), "within: must be a period .* never zero"),
    "negative": (GOOD.replace('"3 business days"', '"-3 days"'), "within: must be a period"),
    "words": (GOOD.replace('"3 business days"', '"a fortnight"'), "within: must be a period.*not .a fortnight"),
    "centuries": (GOOD.replace('"3 business days"', '"99999 days"'), "within: must be a period .* up to ten years"),
    "within and every": (
        GOOD + 'every = "14 days"\n',
        "promise.acknowledge.: must have either within or every: keep one",
    ),
    "neither": (GOOD.replace('within = "3 business days"', ""), "must have either within or every: write within ="),
    "two of one name": (GOOD + PROMISE, 'promise.acknowledge..name: "acknowledge" is the name of two promises'),
    "impossible day": (
        GOOD.replace("[[prom", 'closed = ["2026-02-30"]\n[[prom'),
        "closed: holds .2026-02-30., which is no day",
    ),
    "backward range": (
        GOOD.replace("[[prom", 'closed = ["2026-10-01..2026-09-27"]\n[[prom'),
        "calendar.closed: holds .* from the earlier day to the later",
    ),
    "endless range": (GOOD.replace("[[prom", 'worked = ["0001-01-01..9999-12-31"]\n[[prom'), "calendar.worked: holds"),
    "end of time": (GOOD.replace("[[prom", 'worked = ["9999-12-01..9999-12-40"]\n[[prom'), "which is no day"),
    "no such zone": (
        GOOD.replace("/Amsterdam", "/Amsterdm"),
        'calendar.zone: must be an IANA zone.*did you mean "Europe/Amst',
    ),
    "zone is a folder": (GOOD.replace("Europe/Amsterdam", "America/Indiana"), "calendar.zone: must be an IANA zone"),
    "zone is a path": (GOOD.replace("Europe/Amsterdam", "../../../etc/passwd"), "calendar.zone: must be an IANA zone"),
    "offset beyond": (GOOD.replace("Europe/Amsterdam", "+15:00"), "calendar.zone: must be an IANA zone"),
    "no such country": (
        GOOD.replace('"NL"', '"XX"'),
        'calendar.country: must be a two-letter country code such as "IL"',
    ),
    "country in lower case": (GOOD.replace('"NL"', '"nl"'), 'calendar.country: must be .*did you mean "NL"'),
    "no such canton": (GOOD.replace('"NL"', '"CH"\nsubdivision = "ZZ"'), "calendar.subdivision: .ZZ. is no .*AG, .*ZH"),
    "subdivision without country": (
        GOOD.replace('country = "NL"', 'subdivision = "ZH"\nweekend = ["sun"]'),
        "calendar.country: is missing",
    ),
    "no country, no weekend": (GOOD.replace('country = "NL"', ""), "calendar.weekend: is missing: without a country"),
    "seven days of weekend": (
        GOOD.replace("[[prom", 'weekend = ["mon","tue","wed","thu","fri","sat","sun"]\n[[prom'),
        "calendar.weekend: must be a list .* 0 to 6 items, not 7",
    ),
    "closing at midnight": (
        GOOD.replace("[[prom", 'closing = "00:00"\n[[prom'),
        "calendar.closing: must be a time of day from",
    ),
    "placeholder": (
        GOOD.replace("security@example.test", "[email protected]"),
        "policy.contact: is a web page's placeholder",
    ),
    "prefix": (GOOD.replace('"EX"', '"X"'), "policy.prefix: must be 2 to 8 upper-case ASCII letters or digits"),
    "prefix of another alphabet": (GOOD.replace('"EX"', '"\u0415\u0425"'), "policy.prefix: must be 2 to 8"),
    "version without quotes": (
        GOOD.replace('version = "1"', "version = 2026-11-20"),
        "policy.version: .* put it in quotes",
    ),
    "text absent": (GOOD.replace('version = "1"', 'version = "1"\ntext = "t.txt"'), "policy.text: t.txt can't be read"),
    "acknowledgement that pauses": (GOOD + "pauses = true\n", "promise.acknowledge..pauses: must be false"),
    "an acknowledgement that holds": (GOOD + 'holds = ["assessment"]\n', "promise.acknowledge..holds: must be empty"),
    "holds": (GOOD + 'holds = ["patch"]\n', "promise.acknowledge..holds: must be one of .assessment., .date."),
    "holds without a list": (GOOD + 'holds = "assessment"\n', "promise.acknowledge..holds: must be a list"),
    "a scale of two words": (GOOD + SCALE.format("sev 1", "high"), "scale.*name: must be a word such as sev1"),
    "a scale that says high otherwise": (GOOD + SCALE.format("High", "low"), "scale.*name: must not be .High."),
    "a scale that reads as a weakness": (GOOD + SCALE.format("CWE-1", "low"), "scale.*name: must not be .CWE-1."),
    "a scale with no such severity": (GOOD + SCALE.format("sev1", "severe"), "scale.*severity: must be one of .none."),
    "a scale that says a word twice": (
        GOOD + SCALE.format("sev1", "high") + SCALE.format("SEV1", "low").partition("\n")[2],
        "scale.*name: .sev1. stands twice",
    ),
    "warn": (GOOD + 'warn = ["half"]\n', "promise.acknowledge..warn: must hold shares"),
    "warn at 100%": (GOOD + 'warn = ["100%"]\n', "promise.acknowledge..warn: must hold shares"),
    "no tables": ("", "policy.organisation: is missing"),
}


@pytest.mark.parametrize("case", SINGLE)
def test_a_mistake_is_a_sentence_with_file_key_and_mend(tmp_path, case):
    text, wanted = SINGLE[case]
    found = mistakes(tmp_path, text)
    assert all(sentence.startswith("policy.toml: ") for sentence in found)
    assert re.search(wanted, found[0]), found
    assert len(found) == 1 or not text


def test_a_clause_must_stand_in_the_text_word_for_word(tmp_path):
    (tmp_path / "t.txt").write_text("We answer within 5 business days.")
    with_text = GOOD.replace('version = "1"', 'version = "1"\ntext = "t.txt"')
    (found,) = mistakes(tmp_path, with_text)
    assert "promise[acknowledge].clause: does not stand in the published text: copy it word for word, or write" in found
    (tmp_path / "policy.toml").write_text(with_text + 'source = "added"\n')
    assert load_policy(tmp_path / "policy.toml").promises[0].number == "chosen"


def test_white_space_in_clause_and_text_is_folded(tmp_path):
    (tmp_path / "t.txt").write_text("You get an\u00a0answer\n  within 3 business days.")
    text = GOOD.replace('version = "1"', 'version = "1"\ntext = "t.txt"')
    (tmp_path / "policy.toml").write_text(
        text.replace('"an answer within', '"""an\nanswer\twithin').replace('s days"', 's days"""', 1)
    )
    assert load_policy(tmp_path / "policy.toml").promises[0].clause == "an answer within 3 business days"


def test_all_mistakes_are_said_at_once(tmp_path):
    text = (
        HEAD.replace('"EX"', '"ex"')
        + CALENDAR.replace("Amsterdam", "Nowhere").replace("NL", "XX")
        + PROMISE.replace('"3 business days"', '"soon"')
        + PROMISE
        + 'colour = "red"\n'
    )
    assert len(mistakes(tmp_path, text)) == 6


def test_a_text_that_is_not_utf_8_is_a_mistake(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"\xff")
    (found,) = mistakes(
        tmp_path, GOOD.replace('version = "1"', 'version = "1"\ntext = "t.txt"').replace('"an answer', '"', 0)
    )
    assert "policy.text: t.txt is not UTF-8" in found


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("3 business days", Period(3, "business days")),
        ("1 business day", Period(1, "business days")),
        ("90 days", Period(90, "days")),
        ("24  hours", Period(24, "hours")),
        ("24h", None),
        ("0 days", None),
        ("٣ days", None),
        ("", None),
        ("1 month", None),
    ],
)
def test_a_period_is_a_count_and_a_unit(written, period):
    assert parse_period(written) == period
    assert period is None or parse_period(str(period)) == period
