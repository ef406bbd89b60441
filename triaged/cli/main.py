"""The command `triaged`: finds the subcommand, and turns what went wrong into one sentence and an exit code. Does no work."""

from __future__ import annotations

import importlib
import sys

import click

from triaged import __version__
from triaged.cli.failure import DONE, FAILED, sentence

# Name -> module in triaged.cli. Imported only when the command is asked for: `--help` stays fast.
COMMANDS = {
    "init": "init",
    "check": "check",
    "login": "login",
    "run": "run",
    "demo": "demo",
    "message": "message",
    "ticket": "ticket",
    "known": "known",
    "reward": "reward",
    "receipt": "receipt",
    "outbox": "outbox",
    "policy": "policy",
    "publish": "publish",
    "promises": "promises",
    "audit": "audit",
    "export": "export",
    "handover": "handover",
    "forget": "forget",
    "import": "importing",
    "db": "database",
}

SHORT_HELP = {
    "init": "Write a starter configuration and policy.",
    "check": "Try everything the daemon needs, item by item.",
    "login": "Log a mailbox in where a person must agree (OAuth2).",
    "run": "Run the daemon, or one pass of it.",
    "demo": "Play a story of three reports and 120 days of promises.",
    "message": "Show what triaged reads in a raw message.",
    "ticket": "List and show tickets, and say what they are.",
    "known": "List, add, seal and open issues that the team knows already.",
    "reward": "List what was decided about rewards.",
    "receipt": "List what arrived and what became of it.",
    "outbox": "List, show and retry letters.",
    "policy": "Look at what a policy promises.",
    "publish": "Write the site: Hall of Fame, advisories, policy, numbers.",
    "promises": "Tell how each promise was kept.",
    "export": "Write out all that is held of a person.",
    "handover": "Write a report for a coordinator, without its people.",
    "forget": "Erase a person or a ticket, and certify it.",
    "audit": "Prove that nothing is missing: mailbox, receipts, events.",
    "import": "Take in an mbox, a Maildir or a folder of messages.",
    "db": "Migrate the tracker's database.",
}


class Commands(click.Group):
    """Subcommands, each in a module of its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"triaged.cli.{COMMANDS[cmd_name]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, SHORT_HELP[name]) for name in COMMANDS])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="triaged")
def command() -> None:
    """triaged answers for a security@ mailbox: it takes every report in, acknowledges it, and keeps the
    promises of the published policy.

    A first start: `triaged init`, then `triaged check`, then `triaged run`.
    """


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 it could not be done or the answer is no, 2 command line or configuration wrong."""
    try:
        code = command.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(FAILED)
    except Exception as error:
        words, code = sentence(error)
        click.echo(f"triaged: {words}", err=True)
        sys.exit(code)
    sys.exit(code if isinstance(code, int) else DONE)
