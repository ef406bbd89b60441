"""What `make run` says once the daemon is ready: how to mail a first report and where to watch; text only."""

from __future__ import annotations

from pathlib import Path

from triaged.demo.configuration import MAILBOX, MEMBER, TEAM
from triaged.demo.mailboxes import PASSWORD
from triaged.demo.server import HOST

_RESEARCHER = "noa@example.org"

# Each report says when: the same words from the same sender again would be the same report, and join its ticket (AR-10).
_TEXT = """\
ready

A mail server is embedded: SMTP on {host}:{smtp_port}, IMAP on {host}:{imap_port}. It takes mail for every address;
log in to any of them with the password {password}. Its mailboxes live as long as this process.

Mail a first report, from another terminal in this directory, with nothing installed:

  python3 -c 'import smtplib, email.utils as u; smtplib.SMTP("{host}", {smtp_port}).sendmail("{researcher}", \
"{mailbox}", "From: Noa <{researcher}>\\r\\nTo: {mailbox}\\r\\nSubject: XSS in login\\r\\nDate: " + u.formatdate() + \
"\\r\\nMessage-ID: " + u.make_msgid(domain="example.org") + "\\r\\n\\r\\nThe login page runs what next= holds. Seen at " + \
u.formatdate() + "\\r\\n")'

or with swaks:

  swaks --server {host}:{smtp_port} --from {researcher} --to {mailbox} --header "Subject: XSS in login" \
--body "The login page runs what next= holds. Seen at $(date)."

Then watch the ticket, its letters, what the researcher has in the mailbox, and what the team was told:

  {triaged} ticket list --config {config}
  {triaged} outbox list --config {config}
  {python} -m triaged.demo.inbox {imap_port} {researcher}
  {python} -m triaged.demo.inbox {imap_port} {team}

or open {researcher} and the member {member}, who has it too, in a mail client and answer each other.
Ctrl-C ends it; the tracker stays in {directory}."""


def welcome(config: Path, python: Path, smtp_port: int, imap_port: int) -> str:
    """The lines to print; `python` is the interpreter that runs, beside which the command `triaged` is installed."""
    return _TEXT.format(
        host=HOST,
        smtp_port=smtp_port,
        imap_port=imap_port,
        password=PASSWORD,
        researcher=_RESEARCHER,
        mailbox=MAILBOX,
        team=TEAM,
        member=MEMBER,
        config=config,
        directory=config.parent,
        python=_short(python),
        triaged=_short(python.with_name("triaged")),
    )


def _short(path: Path) -> Path:
    """Relative to the directory that it runs in, where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
