"""triaged: answers for a security@ mailbox."""

__version__ = "0.1.0"
