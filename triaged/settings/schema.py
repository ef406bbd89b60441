"""triaged.toml's tables as data: each key with its type, default and meaning. docs/configuration.md retells it."""

from __future__ import annotations

from dataclasses import fields
from datetime import time, timedelta

from triaged.policy.kinds import address, clock, several, span, text, truth, whole, words
from triaged.policy.table import Field, Table
from triaged.settings.kinds import database, host, hours, identifier, listen, lower, name, secret, url
from triaged.settings.limits import Limits

_DAY = 86_400  # seconds
SECURITY = ("tls", "starttls", "none", "none-insecure")

TRACKER = Table(
    (
        Field(
            "url",
            database(),
            "the database: a file of SQLite, or PostgreSQL",
            "sqlite:///triaged.db",
        ),
    )
)
IMAP = Table(
    (
        Field("host", host(), "the IMAP server"),
        Field("port", whole(1, 65535), "its port", None, "993 with tls, else 143"),
        Field("security", words(*SECURITY), "none is for loopback hosts; none-insecure says that you mean it", "tls"),
        Field("username", text("a user name"), "login"),
        Field("password", secret(), "login; a secret", None, "none, with `oauth2`"),
        Field(
            "folders",
            several(text("a folder name"), least=1, most=100),
            "the first is held by IDLE, the others swept; put Junk here too",
            ("INBOX",),
        ),
        Field("poll_seconds", whole(1, _DAY), "the sweep that stays on beside IDLE", 60),
        Field(
            "sent_folder",
            text("a folder name", empty=True),
            "copies of what is sent go here, and answers written from the mailbox itself are taken in from here",
            "",
        ),
    ),
    optional=True,
)
_SUBMISSION = (
    Field("host", host(), "the submission server"),
    Field("port", whole(1, 65535), "its port", None, "465 with tls, 587 with starttls, else 25"),
    Field("security", words(*SECURITY), "none is for loopback hosts; none-insecure says that you mean it", "tls"),
    Field("username", text("a user name", empty=True), "login; without one there is no login", ""),
    Field("password", secret(), "login; a secret", None),
)
SMTP = Table(
    (
        *_SUBMISSION,
        Field(
            "envelope",
            words("keyed", "address", "null"),
            "the return path: keyed (bounces come back to the letter), the mailbox's address, or none",
            None,
            "keyed; address without plus_addressing",
        ),
    ),
    optional=True,
)
OPS_SMTP = Table(
    (
        *_SUBMISSION,
        Field("envelope", words("address", "null"), "the return path: the first mailbox's address, or none", "address"),
    ),
    optional=True,
)
PROVIDERS = ("microsoft", "google", "generic")
FLOWS = ("client_credentials", "device_code", "service_account", "refresh_token")
OAUTH2 = Table(
    (
        Field(
            "provider", words(*PROVIDERS), "whose token endpoint; generic is any other, with URLs and scopes of yours"
        ),
        Field("flow", words(*FLOWS), "how tokens are had"),
        Field("tenant", identifier("a tenant"), "Microsoft: the directory's ID or domain", "", "organizations"),
        Field("client_id", text("a client ID", empty=True), "the registered application", ""),
        Field("client_secret", secret(), "its secret; a secret", None),
        Field("token_url", url(), "the token endpoint", "", "by provider"),
        Field("device_url", url(), "the device authorization endpoint", "", "by provider"),
        Field("scopes", several(identifier("a scope")), "what is asked for", (), "by provider and flow"),
        Field("service_account", secret(), "the JSON key file of a service account; a secret", None),
        Field("refresh_token", secret(), "what a login elsewhere gave; a secret", None),
    ),
    optional=True,
)
MAILBOX = Table(
    (
        Field("name", name(), "what commands and logs call it"),
        Field("tenant", name(), "whose mail it is", "default"),
        Field("address", address(), "the published address"),
        Field("policy", text("a file name"), "the policy file"),
        Field("plus_addressing", truth(), "whether address+TOKEN reaches this mailbox", True),
        Field(
            "acknowledge_unproven",
            words("minimal", "full", "hold"),
            "what a sender hears whom no trusted server proved",
            "minimal",
        ),
        Field(
            "require_return_path",
            truth(),
            "whether a message without Return-Path is never answered automatically",
            False,
        ),
        Field(
            "history",
            span(),
            "what is older at the first sweep is recorded, and starts no ticket, clock or letter",
            timedelta(days=7),
            "7 days",
        ),
    ),
    {"imap": IMAP, "smtp": SMTP, "oauth2": OAUTH2},
)
AUTHENTICITY = Table(
    (
        Field(
            "trusted_authserv_ids",
            several(lower("an authserv-id")),
            "whose Authentication-Results are believed; empty: nobody is proven",
            (),
        ),
        Field(
            "trusted_hosts",
            several(lower("a host name")),
            "whose Received lines count for the instant of receipt",
            (),
        ),
    )
)
MEMBER = Table(
    (
        Field("name", text("a name"), "as letters and records show it"),
        Field("address", address(), "proves the member, with a trusted server's word"),
        Field("role", words("triager", "lead", "observer"), "what the member may do", "triager"),
        Field("notify", words("all", "mine", "board"), "what the member is mailed", "all"),
    )
)
TEAM = Table(
    (
        Field("notify", several(address()), "who hears of each report and reply", ()),
        Field("escalate", several(address()), "who hears of a missed promise as well", ()),
        Field("undo_seconds", whole(0, _DAY), "how long a member's letter can be taken back", 120),
        Field(
            "two_person",
            truth(),
            "whether rewards, disclosure and erasure wait for a second member",
            None,
            "true with two or more members",
        ),
        Field(
            "internal",
            several(lower("a host name or a word")),
            "host names and words that no letter to a researcher may hold: one that does waits for an explicit /send",
            (),
        ),
        Field(
            "inventory",
            text("a file name"),
            "a file of what exists, one name a line (host, network, product, file, function): a report that cites none is noisier",
            "",
        ),
        Field(
            "quiet",
            hours(),
            "hours without warnings, in the policy's zone: a warning goes out before them, never after",
            None,
            '`""`',
        ),
        Field(
            "business_days",
            truth(),
            "whether warnings and the daily board go out on the policy's business days only",
            False,
        ),
        Field("board_at", clock(), "when the daily board goes out, in the policy's zone", time(8, 30), "08:30"),
    ),
    arrays={"member": MEMBER},
)
TENANT = Table(
    (Field("name", name(), "whose mail it is"),),
    {"team": TEAM, "authenticity": AUTHENTICITY},
)
LIMITS = Table(
    tuple(Field(f.name, whole(f.metadata["least"], 2**40), f.metadata["doc"], f.default) for f in fields(Limits))
)
KEYS = Table(
    (
        Field(
            "address",
            secret(),
            "the key of the reply addresses; where absent or empty, one is made and kept in the tracker",
            None,
            "made once",
        ),
        Field(
            "tokens",
            secret(),
            "the key that access and refresh tokens are kept under; where absent, one is made and kept beside them",
            None,
            "made once",
        ),
    )
)
HTTP = Table((Field("listen", listen(), 'metrics and health; "" for none', "127.0.0.1:9464"),))
OPS = Table(
    (
        Field(
            "alarm", several(address()), "who hears when a mailbox is unswept, the outbox stands, the disk runs low", ()
        ),
        Field("unswept_minutes", whole(1, 10_080), "after which a mailbox that is not swept is an alarm", 15),
        Field("outbox_minutes", whole(1, 10_080), "after which a letter that may go and does not is an alarm", 30),
        Field("disk_free_mib", whole(1, 2**30), "MiB: less free where SQLite's file is, is an alarm", 512),
    ),
    {"smtp": OPS_SMTP},
)
ROOT = Table(
    tables={
        "tracker": TRACKER,
        "authenticity": AUTHENTICITY,
        "team": TEAM,
        "limits": LIMITS,
        "keys": KEYS,
        "http": HTTP,
        "ops": OPS,
    },
    arrays={"mailbox": MAILBOX, "tenant": TENANT},
)
