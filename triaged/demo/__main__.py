"""`python -m triaged.demo`, what `make run` runs: the daemon on the embedded mail server; keeps its files in var/."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from triaged.daemon.log import configure
from triaged.daemon.run import serve
from triaged.demo.configuration import configuration
from triaged.demo.server import IMAP_PORT, SMTP_PORT, EmbeddedMail
from triaged.demo.welcome import welcome
from triaged.settings.load import load

DIRECTORY = Path("var")


def main() -> int:
    """Runs until SIGTERM or SIGINT; the daemon's exit code."""
    DIRECTORY.mkdir(exist_ok=True)
    configure()
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd: addresses at INFO, its own plans at WARNING
    with EmbeddedMail(SMTP_PORT, IMAP_PORT) as mail:
        path = DIRECTORY / "triaged.toml"
        path.write_text(configuration(mail.smtp_port, mail.imap_port), encoding="utf-8")
        greeting = welcome(path, Path(sys.executable), mail.smtp_port, mail.imap_port)
        # The file stands alone: a TRIAGED_ variable meant for another installation changes nothing here.
        return serve(load(path, {}), ready=lambda: print(greeting, flush=True))


if __name__ == "__main__":
    sys.exit(main())
