"""HTML -> readable text. It fetches nothing, runs nothing and keeps where links go (AT-20)."""

from __future__ import annotations

import re

_LINE = re.compile(r"[ \t\u00a0]+\n")
_MANY = re.compile(r"\n{3,}")
# A reader marks these as quotes; resiliparse only prints their content.
_QUOTE_MARKS = ("gmail_quote", "yahoo_quoted", "moz-cite-prefix", "divRplyFwdMsg", "OLK_SRC_BODY_SECTION")


def html_to_text(html: str, limit: int) -> tuple[str, bool]:
    """The text of at most `limit` characters of HTML, and whether the limit cut it."""
    from resiliparse.extract.html2text import extract_plain_text  # 18 MB: only where a message has HTML alone

    text = extract_plain_text(html[:limit], preserve_formatting=True, links=True, alt_texts=False, noscript=True)
    return _MANY.sub("\n\n", _LINE.sub("\n", text.replace("\u00a0", " "))).strip("\n"), len(html) > limit
