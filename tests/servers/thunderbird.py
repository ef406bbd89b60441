"""A real Thunderbird, without a screen, that answers or forwards a message. For writing the files of tests/cases/clients anew:
no test starts it.

It is driven by Marionette, which Thunderbird has from Firefox: its own code makes the whole message, the quote and the header.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from tests.servers.process import NotStarted, binary, start, stop, workdir

MEND = "apt-get install thunderbird"
PORT = 2828  # Marionette's own
HTML, BOTH = 2, 3  # of mail.default_send_format: HTML alone, or beside plain text

COMPOSE = r"""
const [type, html, text, to, done] = arguments;
(async () => { try {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const sleep = ms => new Promise(woken => {
    const timer = globalThis.timer = Cc["@mozilla.org/timer;1"].createInstance(Ci.nsITimer);
    timer.initWithCallback({ notify: woken }, ms, 0);
  });
  const root = MailServices.accounts.localFoldersServer.rootFolder;
  let header = null, inbox = null, window = null;
  for (let tries = 0; tries < 80 && !header; tries++) {
    try { inbox = root.getChildNamed("Inbox"); for (const one of inbox.msgDatabase.enumerateMessages()) header = one; } catch (e) {}
    if (!header) { try { inbox.updateFolder(null); } catch (e) {} await sleep(250); }
  }
  if (!header) return done("no message");
  const identity = MailServices.accounts.allIdentities[0];
  identity.composeHtml = html;
  const format = html ? Ci.nsIMsgCompFormat.HTML : Ci.nsIMsgCompFormat.PlainText;
  MailServices.compose.OpenComposeWindow(
    null, header, inbox.getUriForMsg(header), Ci.nsIMsgCompType[type], format, identity, "", null);
  for (let tries = 0; tries < 80 && !window; tries++) {
    await sleep(250);
    window = Services.wm.getMostRecentWindow("msgcompose");
    if (window && !(window.gMsgCompose && window.gMsgCompose.editor && window.composeEditorReady)) window = null;
  }
  if (!window) return done("no window");
  await sleep(1500);
  const editor = window.GetCurrentEditor();
  editor.beginningOfDocument();
  text.split("\n").forEach((line, index) => { if (index) editor.insertLineBreak(); if (line) editor.insertText(line); });
  if (to) { window.gMsgCompose.compFields.to = to; window.CompFields2Recipients(window.gMsgCompose.compFields); }
  const closed = new Promise(heard => window.addEventListener("unload", heard, { once: true }));
  window.GenericSendMessage(Ci.nsIMsgCompDeliverMode.Now);
  await Promise.race([closed, sleep(25000)]);
  done(window.closed ? "sent" : "not sent");
} catch (e) { done("error " + e); } })();
"""


class Thunderbird:
    """One that runs, with one message in its inbox."""

    def __init__(self, port: int) -> None:
        self.connection = connected(port)
        self.number = 0
        self.read()
        self.ask("WebDriver:NewSession", capabilities={"alwaysMatch": {"timeouts": {"script": 60000}}})
        self.ask("Marionette:SetContext", value="chrome")

    def compose(self, kind: str, text: str, *, html: bool, to: str = "") -> None:
        """`kind`: ReplyToSender, ReplyAll or ForwardInline. Sent when this returns."""
        said = self.ask("WebDriver:ExecuteAsyncScript", script=COMPOSE, args=[kind, html, text, to], newSandbox=True)
        if said != {"value": "sent"}:
            raise NotStarted(f"Thunderbird did not send: {said}")

    def ask(self, name: str, **arguments: object) -> object:
        self.number += 1
        data = json.dumps([0, self.number, name, arguments]).encode()
        self.connection.sendall(b"%d:%s" % (len(data), data))
        _, _, error, value = self.read()
        if error:
            raise NotStarted(str(error))
        return value

    def read(self) -> list[object]:
        """One answer: its length in digits, a colon, JSON."""
        length = b""
        while not length.endswith(b":"):
            length += self.connection.recv(1)
        data = b""
        while len(data) < int(length[:-1]):
            data += self.connection.recv(int(length[:-1]) - len(data))
        answer: list[object] = json.loads(data)
        return answer


def connected(port: int) -> socket.socket:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 60)
        time.sleep(0.25)
    raise NotStarted("Thunderbird does not answer")


@contextlib.contextmanager
def thunderbird(
    raw: bytes, name: str, address: str, smtp_port: int, *, send_format: int = BOTH
) -> Iterator[Thunderbird]:
    """With the message `raw` in its inbox. Sends as "name <address>" through smtp_port of the loopback."""
    program = binary("thunderbird", MEND)
    with workdir("thunderbird") as directory:
        folders = directory / "Mail" / "Local Folders"
        folders.mkdir(parents=True)
        status = b"From - Fri Nov 20 09:12:00 2026\nX-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n"
        (folders / "Inbox").write_bytes(status + raw.replace(b"\r\n", b"\n") + b"\n\n")
        wanted = preferences(folders, name, address, smtp_port) | {"mail.default_send_format": send_format}
        lines = [f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in wanted.items()]
        (directory / "user.js").write_text("".join(lines))
        command = [
            program,
            "--headless",
            "--no-remote",
            "--profile",
            directory,
            "-marionette",
            "-remote-allow-system-access",
        ]
        process = start(command, directory / "log", env={**os.environ, "HOME": str(directory)})
        try:
            yield Thunderbird(PORT)
        finally:
            stop(process)


def preferences(folders: Path, name: str, address: str, smtp_port: int) -> dict[str, object]:
    """One identity, local folders, one server to send by, and no questions on the first start."""
    return {
        "mail.accountmanager.accounts": "account1,account2",
        "mail.accountmanager.defaultaccount": "account1",
        "mail.accountmanager.localfoldersserver": "server2",
        "mail.account.account1.server": "server1",
        "mail.account.account1.identities": "id1",
        "mail.account.account2.server": "server2",
        "mail.server.server1.type": "pop3",
        "mail.server.server1.hostname": "127.0.0.1",
        "mail.server.server1.userName": "member",
        "mail.server.server1.login_at_startup": False,
        "mail.server.server1.check_new_mail": False,
        "mail.server.server1.deferred_to_account": "account2",
        "mail.server.server2.type": "none",
        "mail.server.server2.hostname": "Local Folders",
        "mail.server.server2.userName": "nobody",
        "mail.server.server2.directory": str(folders),
        "mail.identity.id1.fullName": name,
        "mail.identity.id1.useremail": address,
        "mail.identity.id1.valid": True,
        "mail.identity.id1.smtpServer": "smtp1",
        "mail.identity.id1.reply_on_top": 1,
        "mail.identity.id1.fcc": False,
        "mail.smtpservers": "smtp1",
        "mail.smtp.defaultserver": "smtp1",
        "mail.smtpserver.smtp1.hostname": "127.0.0.1",
        "mail.smtpserver.smtp1.port": smtp_port,
        "mail.smtpserver.smtp1.authMethod": 1,
        "mail.smtpserver.smtp1.try_ssl": 0,
        "mail.provider.suppress_dialog_on_startup": True,
        "mailnews.start_page.enabled": False,
        "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
        "toolkit.telemetry.enabled": False,
        "app.update.enabled": False,
        "mail.shell.checkDefaultClient": False,
        "mail.SpellCheckBeforeSend": False,
        "mail.compose.attachment_reminder": False,
        "network.proxy.type": 0,
    }
