"""What a newcomer is shown: the configuration, the welcome and the inbox reader, without the daemon."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from triaged.demo.configuration import configuration
from triaged.demo.inbox import main as show_inbox
from triaged.demo.server import EmbeddedMail
from triaged.demo.welcome import welcome
from triaged.resources import starter_configuration

PYTHON = Path(sys.executable)


@pytest.fixture
def mail():
    with EmbeddedMail() as running:
        yield running


def lines_of(mail, config=Path("var/triaged.toml")):
    return welcome(config, PYTHON, mail.smtp_port, mail.imap_port).splitlines()


def the_line(mail, start):
    (line,) = [line.strip() for line in lines_of(mail) if line.strip().startswith(start)]
    return shlex.split(line)


def test_the_welcome_begins_with_the_line_ready(mail):
    assert lines_of(mail)[0] == "ready"


def test_the_one_liner_mails_a_first_report_with_the_standard_library_alone(mail, capsys):
    _, flag, program = the_line(mail, "python3 -c")
    assert {
        name.name for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Import) for name in node.names
    } == {
        "smtplib",
        "email.utils",
    }
    subprocess.run([sys.executable, "-I", flag, program], check=True, timeout=20)
    assert show_inbox([str(mail.imap_port), "security@example.test"]) == 0
    printed = capsys.readouterr().out
    assert "Subject: XSS in login" in printed and "The login page runs what next= holds." in printed


def test_the_one_liner_sent_twice_makes_two_different_messages(mail, capsys):
    _, flag, program = the_line(mail, "python3 -c")
    for _ in range(2):
        subprocess.run([sys.executable, "-I", flag, program], check=True, timeout=20)
    with_ids = "import imaplib, sys; c = imaplib.IMAP4('127.0.0.1', int(sys.argv[1])); c.login(sys.argv[2], 'demo'); "
    with_ids += "c.select(); print(c.fetch('1:2', '(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])'))"
    run = [sys.executable, "-c", with_ids, str(mail.imap_port), "security@example.test"]
    seen = subprocess.run(run, capture_output=True, text=True, check=True, timeout=20).stdout
    assert len(set(re.findall(r"<[^<>]+@example\.org>", seen))) == 2


def test_the_welcome_names_the_ports_and_the_configuration_file(mail):
    text = "\n".join(lines_of(mail))
    assert f"127.0.0.1:{mail.smtp_port}" in text and f"127.0.0.1:{mail.imap_port}" in text
    assert "ticket list --config var/triaged.toml" in text


def test_the_inbox_reader_says_what_to_do_when_nothing_answers(capsys):
    with EmbeddedMail() as gone:
        pass
    assert show_inbox([str(gone.imap_port), "noa@example.org"]) == 1
    assert "make run" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["noa@example.org"], ["port", "noa@example.org"]])
def test_the_inbox_reader_says_how_it_is_called(arguments, capsys):
    assert show_inbox(arguments) == 2
    assert "PORT" in capsys.readouterr().err.upper()


def keys(table, above=""):
    for key, value in table.items():
        yield above + key
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from keys(inner, f"{above}{key}.")


def test_the_demo_configures_nothing_that_the_starter_does_not_explain():
    demo = set(keys(tomllib.loads(configuration(2025, 2143))))
    assert demo <= set(keys(tomllib.loads(starter_configuration().read_text(encoding="utf-8"))))


def test_the_demo_keeps_its_tracker_beside_its_configuration_and_both_ports_are_the_servers():
    demo = tomllib.loads(configuration(20251, 21431))
    assert demo["tracker"]["url"] == "sqlite:///triaged.db"
    assert demo["mailbox"][0]["smtp"]["port"] == 20251 and demo["mailbox"][0]["imap"]["port"] == 21431
