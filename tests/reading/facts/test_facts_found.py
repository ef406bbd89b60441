"""What counts as a fact, kind by kind, and what must not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from letters import found, letter, values, words

from triaged.reading.facts import MOST_OF_A_KIND, facts, facts_of

URLS = [
    ("See https://app.example.test/login.", "https://app.example.test/login"),
    ("(https://app.example.test/a_(b))", "https://app.example.test/a_(b)"),
    ("[page](https://app.example.test/a) is open", "https://app.example.test/a"),
    ("hxxps://bad[.]example[.]test/x.js", "https://bad.example.test/x.js"),
    ("hxxp[://]bad(dot)example(dot)test/x", "http://bad.example.test/x"),
    ("fetch('http://192.0.2.7:8080/x');", "http://192.0.2.7:8080/x"),
    ('<a href="https://app.example.test/?a=1&b=2">', "https://app.example.test/?a=1&b=2"),
    ("https://x.example.test/q?id=1'--", "https://x.example.test/q?id=1'--"),
    ("http://[2001:db8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
    ("详见https://app.example.test/a，谢谢", "https://app.example.test/a"),
]


@pytest.mark.parametrize(("text", "value"), URLS)
def test_a_url_is_found_whole_and_refanged(text: str, value: str) -> None:
    assert values(text, "url") == [value]


@pytest.mark.parametrize(
    "text", ["https://", "http://??", "xmlns='http://www.w3.org/1999/xhtml'", "https://██████", "shttps://a.test"]
)
def test_what_names_no_server_is_no_url(text: str) -> None:
    assert values(text, "url") == []


HOSTS = [
    ("The server vpn2.example.org is old.", "vpn2.example.org"),
    ("on badhost(dot)example[.]com", "badhost.example.com"),
    ("GET / HTTP/1.1\nHost: shop.example.org:8443\n", "shop.example.org"),
    ("open www.firma.pl in a browser", "www.firma.pl"),
    ("your wordpress at blog.ims-network.example is old", "blog.ims-network.example"),
    ("mail.example.org:465 speaks TLS 1.0", "mail.example.org"),
]


@pytest.mark.parametrize(("text", "value"), HOSTS)
def test_a_host_by_itself_is_found(text: str, value: str) -> None:
    assert values(text, "host") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "see net/bluetooth/mgmt.c:3896 and wp-config.php",
        "parse.py:88 calls re.compile(x) and navigator.language",
        "regex.test(value), document.location.host = a",
        "mail me at noa@example.org",
        "noa (at) example (dot) org",
        "package com.example.app in the store",
        "ASP.NET and Node.js",
        "We found.It is bad",
        "QEMU BIOS rel-1.16.3-0-ga6ed6b701f0a-prebuilt.qemu.org",
        "/var/www/example.com/index",
        "sends the victim to evil.com",
    ],
)
def test_files_code_addresses_and_an_attackers_placeholder_are_no_hosts(text: str) -> None:
    assert values(text, "host") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The gateway 198.51.100.9 answers.", "198.51.100.9"),
        ("served from 192[.]0[.]2[.]144", "192.0.2.144"),
        ("2001:db8:77::5 is open", "2001:db8:77::5"),
        ("GET / HTTP/1.1\nHost: 10.0.0.1\n", "10.0.0.1"),
        (r"\\192.168.10.10\share", "192.168.10.10"),
    ],
)
def test_an_address_of_a_system_is_found(text: str, value: str) -> None:
    assert found(text, "ip_address", "tester_ip_address") == [("ip_address", value)]


@pytest.mark.parametrize(
    "text",
    ["version 1.6.2.0", "Chrome/98.0.4758.102", "127.0.0.1:8080", "0.0.0.0", "1.2.3.4.5", "at 10:02:03", "std::vector", "999.1.1.1",
     "Tested on Rails 6.1.3.1", "IBM Integrator 5.2.0.1 - 5.2.6.3", "00:11:22:33:44:55"],
)  # fmt: skip
def test_versions_times_and_the_loopback_are_no_addresses(text: str) -> None:
    assert values(text, "ip_address") == []


@pytest.mark.parametrize(
    "text",
    [
        "I tested from 203.0.113.77 at noon.",
        "Source IP: 203.0.113.77",
        "my IP is 203.0.113.77",
        "203.0.113.77 is my own address.",
        "Getestet habe ich von der IP-Adresse 203.0.113.77 aus.",
        "Mon adresse IP pendant les tests : 203.0.113.77",
        "Mi IP: 203.0.113.77",
        "Our scanners used the addresses 203.0.113.77",
        "我的IP：203.0.113.77",
        "Tested with Firefox from my IP 203[.]0[.]113[.]77",
    ],
)
def test_the_testers_own_address_is_told_apart(text: str) -> None:
    """S2-12"""
    assert found(text, "ip_address", "tester_ip_address") == [("tester_ip_address", "203.0.113.77")]


def test_a_list_of_the_testers_addresses_is_the_testers_to_its_end() -> None:
    """S2-12"""
    text = "We tested from 192.0.2.10, 192.0.2.11 and\n2001:db8::7. The server 192.0.2.99 fell over."
    assert found(text, "ip_address", "tester_ip_address") == [
        ("tester_ip_address", "192.0.2.10"),
        ("tester_ip_address", "192.0.2.11"),
        ("tester_ip_address", "2001:db8::7"),
        ("ip_address", "192.0.2.99"),
    ]


def test_identifiers_have_the_form_of_their_registries() -> None:
    assert values("cve-2024-21762, CVE 2025 10234, CVE-2024-21762", "cve") == ["CVE-2024-21762", "CVE-2025-10234"]
    assert values("CWE-ID: 352 and cwe79, CWE-0", "cwe") == ["CWE-352", "CWE-79"]


@pytest.mark.parametrize(
    ("text", "vectors"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]),
        ("(AV:N/AC:L/Au:N/C:P/I:P/A:P)", ["AV:N/AC:L/Au:N/C:P/I:P/A:P"]),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N.",
         ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"]),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", []),
        ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", []),
        ("CVSS:9.9/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", []),
    ],
)  # fmt: skip
def test_only_a_cvss_vector_that_can_be_scored_is_a_fact(text: str, vectors: list[str]) -> None:
    assert values(text, "cvss") == vectors


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("runs Magento 2.4.3, which is old", "Magento 2.4.3"),
        ("ims-client==1.4.2 is affected", "ims-client 1.4.2"),
        ("the port ims-client@0.9.1 too", "ims-client 0.9.1"),
        ("Server: nginx/1.18.0", "nginx 1.18.0"),
        ("Linux kernel version 6.12-rc3", "Linux kernel 6.12-rc3"),
        ("OpenSSL before 3.0.7 is affected", "OpenSSL before 3.0.7"),
        ("Product: Ticket Desk\nVendor: Example\nVersion: 4.2\n", "Ticket Desk 4.2"),
        ("we fuzzed imsview 5.1.0", "imsview 5.1.0"),
        ("C'est un Apache 2.4.49, donc", "Apache 2.4.49"),
        ("It happens on Android 16.", "Android 16"),
        ("running version 4.7.1 of WordPress", "WordPress 4.7.1"),
        ("HEAD commit: a7904a538933 Linux 5.16-rc6", "Linux 5.16-rc6"),
    ],
)
def test_a_product_comes_with_its_version(text: str, product: str) -> None:
    assert values(text, "product") == [product]


@pytest.mark.parametrize(
    "text",
    ["It takes 5.02 s instead of 0.04 s", "HTTP/1.1 200", "Section 3.1 of RFC 5322", "on 12.11.2026", "CVSS 9.8", "Step 1.2",
     "User-Agent: Mozilla/5.0 Firefox/132.0", "the server 10.0.0.1 answers", "CPU: 1 Comm: a Tainted: G  OE 5.7.0"],
)  # fmt: skip
def test_numbers_that_are_no_version_make_no_product(text: str) -> None:
    assert values(text, "product") == []


@pytest.mark.parametrize(
    ("text", "cwe"),
    [
        ("a stored cross-site scripting", "CWE-79"),
        ("Blind SQL-Injection", "CWE-89"),
        ("an Insecure Direct Object Reference", "CWE-639"),
        ("null-ptr-deref in h5_recv", "CWE-476"),
        ("une traversée de répertoire", "CWE-22"),
        ("存在跨站脚本漏洞", "CWE-79"),
        ("an OS command\ninjection", "CWE-78"),
    ],
)
def test_a_weakness_is_named_by_its_class(text: str, cwe: str) -> None:
    assert values(text, "weakness") == [cwe]


@pytest.mark.parametrize(
    "text", ["X-XSS-Protection: 0", "X-CSRF-Token: abc", "Cookie: a=b; XSRF-TOKEN=1", "https://a.test/xss"]
)
def test_names_of_fields_and_links_are_no_weakness(text: str) -> None:
    assert values(text, "weakness") == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Please credit me as Noa Keller (https://noa.example/).", ["Noa Keller"]),
        ('nennen Sie mich als "Jonas W." in Ihrer Danksagung', ["Jonas W."]),
        ("Reported-by: Zhi Wang <zw@x.example>, Bin Yu<by@x.example>", ["Zhi Wang", "Bin Yu"]),
        ("# Exploit Author: Ahmet Gurel, Canberk Bolat", ["Ahmet Gurel", "Canberk Bolat"]),
        ("Credit: anonymous", []),
        ("Reported-by: syzbot+1@bots.example", []),
        ("I sent a message to this list asking for help", []),
    ],
)
def test_the_name_to_credit_is_as_the_researcher_writes_it(text: str, names: list[str]) -> None:
    assert values(text, "credit_as") == names


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("I would like to remain anonymous.", True),
        ("Please do not publish my name anywhere", True),
        ("Je préfère rester anonyme.", True),
        ("Ich möchte anonym bleiben", True),
        ("ANONYMOUS\n", True),
        ("I do not need to stay anonymous", False),
        ("anonymous FTP is open; an anonymous user can write", False),
    ],
)
def test_the_wish_to_stay_anonymous_is_heard_and_not_invented(text: str, wish: bool) -> None:
    assert bool(values(text, "anonymity")) is wish


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("I plan to write about this on 15 January 2027.", ["2027-01-15"]),
        ("I will disclose this after 90 days, i.e. on 2027-02-11, as usual.", ["90 days", "2027-02-11"]),
        ("Ich plane eine Veröffentlichung in 90 Tagen.", ["90 days"]),
        ("Our deadline is March 1, 2027", ["2027-03-01"]),
        ("We ask you to answer by 30/11/2026", ["2026-11-30"]),
        ("We ask you to fix it by 11/30/2026", ["2026-11-30"]),
        ("I found it on 2026-11-12.", []),
        ("publish on 31.02.2027", []),
        ("2014-12-10 Researcher requested to publicly disclose\n2015-02-22 Public disclosure", ["2015-02-22"]),
    ],
)
def test_an_announced_date_is_found_and_a_past_one_is_not(text: str, dates: list[str]) -> None:
    assert values(text, "disclosure_date") == dates


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It is being exploited in the wild since Tuesday", True),
        ("This one is actively exploited, please patch", True),
        ("I have not seen any exploitation in the wild", False),
        ("It could be exploited in the wild", False),
        ("Is it actively exploited?", False),
    ],
)
def test_exploited_is_a_claim_and_no_denial_or_maybe(text: str, said: bool) -> None:
    assert bool(values(text, "exploited")) is said


@pytest.mark.parametrize(
    ("text", "contacts"),
    [
        ("Reach me on Signal at +44 20 7946 0321", ["+44 20 7946 0321"]),
        ("my PGP key is 0x8F3A11C27D90B4E6", ["0x8F3A11C27D90B4E6"]),
        (
            "PGP fingerprint 6F1E 22B0 9A44 C7D1 03BB  5E0C 91D2 48F7 AA10 3C59",
            ["6F1E22B09A44C7D103BB5E0C91D248F7AA103C59"],
        ),
        ("mail: eliteman [~AT~] example [~DOT~] com", ["eliteman@example.com"]),
        ("twitter: @danpen_sec", ["@danpen_sec"]),
        ('log in as victim@example.net and set {"email":"a@b.example"}', []),
        ("READ of size 8 at 0x602000000150a1b2 and @Override", []),
    ],
)
def test_contact_details_are_the_reporters_and_not_those_of_the_proof(text: str, contacts: list[str]) -> None:
    assert values(text, "contact") == contacts


@pytest.mark.parametrize(
    ("text", "parties"),
    [
        ("CERT/CC has been notified.", ["CERT/CC"]),
        ("We have already informed CERT-CH and the hosting provider.", ["CERT-CH", "hosting provider"]),
        ("Dell PSIRT has acknowledged the issue", ["Dell PSIRT"]),
        ("I asked MITRE for a CVE id", ["MITRE"]),
        ("I did not inform GitHub", []),
        ("Vendor Homepage: x, hosted on GitHub", []),
    ],
)
def test_other_parties_are_those_that_were_told(text: str, parties: list[str]) -> None:
    assert values(text, "other_party") == parties


def test_every_fact_points_at_its_words() -> None:
    text = (
        "Hi,\n\nhxxps://bad[.]example[.]test/x runs nginx/1.18.0.\nI tested from 203.0.113.7; CVE-2024-1234, an XSS.\n"
    )
    message = letter(text)
    assert [(fact.kind, words(message, fact)) for fact in facts(message)] == [
        ("url", "hxxps://bad[.]example[.]test/x"),
        ("product", "nginx/1.18.0"),
        ("tester_ip_address", "203.0.113.7"),
        ("cve", "CVE-2024-1234"),
        ("weakness", "XSS"),
    ]


def test_quotes_signature_and_footers_state_no_facts() -> None:
    text = (
        "It was on app.example.org.\n\nOn Thu, 12 Nov 2026 at 09:00, IMS <security@ims.example> wrote:\n"
        "> Our policy is at https://ims.example/policy, XSS is in scope.\n\nThanks\n-- \nNoa, https://noa.example\n"
    )
    message = letter(text)
    assert [(fact.kind, fact.value, words(message, fact)) for fact in facts(message)] == [
        ("host", "app.example.org", "app.example.org")
    ]
    assert found("An XSS.\n\nThis mail was scanned by https://gateway.example/x\n") == [("weakness", "CWE-79")]


def test_a_forwarded_report_states_its_facts() -> None:
    text = (
        "This came to us.\n\n---------- Forwarded message ---------\nFrom: Tom <tom@example.net>\n"
        "Date: Mon, 9 Nov 2026 at 14:02\nSubject: hole\nTo: <security@ims.example>\n\nvpn.example.org has an XXE.\n"
    )
    assert ("host", "vpn.example.org") in found(text)


def test_the_address_that_was_written_to_is_no_contact_of_the_reporter() -> None:
    assert values("To reach me mail tom@example.net, contact was security@ims.example", "contact") == [
        "tom@example.net"
    ]


def test_a_fact_is_stated_once_and_a_dump_is_cut() -> None:
    """S2-12, AT-27"""
    assert found("XSS, XSS and cross-site scripting") == [("weakness", "CWE-79")]
    dump = "\n".join(f"10.1.{index // 250}.{index % 250 + 1}" for index in range(1000))
    assert len(facts_of(dump)) == MOST_OF_A_KIND
