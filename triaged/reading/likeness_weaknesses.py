"""Weakness classes and the words that people use for them. A table; never decides what a report is."""

from __future__ import annotations

# class -> (its CWE numbers, what people write, "|" between). Matched by word stems, so one form of a word is enough.
WEAKNESSES: dict[str, tuple[tuple[int, ...], str]] = {
    "cross-site scripting": ((79, 80), "xss|cross site scripting|script injection|html injection"),
    "cross-site request forgery": ((352,), "csrf|xsrf|cross site request forgery"),
    "server-side request forgery": ((918,), "ssrf|server side request forgery"),
    "SQL injection": ((89,), "sqli|sql injection|blind sql"),
    "code execution": (
        (94, 77, 78, 95),
        "rce|code execution|execute code|execute arbitrary|arbitrary code|run arbitrary|code injection|command injection|"
        "arbitrary command|shell injection",
    ),
    "use after free": ((416, 825), "uaf|use after free|after free|freed memory|already freed|dangling pointer"),
    "double free": ((415,), "double free|freed twice|free again"),
    "out of bounds": (
        (119, 120, 121, 122, 125, 126, 787, 788),
        "oob|out of bounds|buffer overflow|heap overflow|stack overflow|overread|over read|heap buffer|stack buffer|"
        "memory corruption|overflow read|overflow write|past the end|outside of the buffer",
    ),
    "integer overflow": ((190, 191, 192, 195), "integer overflow|integer underflow|integer wrap|signedness|integer truncation"),
    "null dereference": ((476,), "null pointer|null deref|nil pointer|nil deref|npd"),
    "uninitialised memory": ((457, 824, 908), "uninitialized|uninitialised|not initialized"),
    "denial of service": (
        (400, 404, 674, 770, 835, 1333),
        "dos|denial of service|crash|infinite loop|hang|resource exhaustion|memory exhaustion|memory consumption|"
        "cpu consumption|redos|super linear|backtracking|endless loop|panic|out of memory",
    ),
    "path traversal": ((22, 23, 36, 73), "path traversal|directory traversal|dot dot|zip slip|arbitrary file|lfi|file inclusion"),
    "information disclosure": (
        (200, 201, 209, 532),
        "information disclosure|information leak|information exposure|data leak|leak|disclose|sensitive information|expose",
    ),
    "access control": (
        (284, 285, 639, 862, 863, 269),
        "idor|insecure direct object|access control|authorization bypass|permission bypass|missing authorization|"
        "improper authorization|privilege escalation|gain privileges|elevate privileges",
    ),
    "authentication bypass": ((287, 288, 306), "authentication bypass|bypass authentication|auth bypass|account takeover"),
    "open redirect": ((601,), "open redirect|unvalidated redirect|url redirection"),
    "external entities": ((611,), "xxe|xml external entity|external entities"),
    "race condition": ((362, 367), "race condition|data race|toctou|time of check"),
    "request smuggling": ((444,), "request smuggling|http smuggling|desync|smuggle"),
    "header injection": ((93, 113, 74), "header injection|crlf|response splitting|newline injection|carriage return"),
    "deserialisation": ((502,), "deserialization|deserialisation|unmarshal|pickle|object injection"),
    "prototype pollution": ((1321,), "prototype pollution"),
    "clickjacking": ((1021,), "clickjacking|ui redressing|ui redress"),
    "regular expression": ((1333, 185), "regular expression|regex|regexp|redos"),
    "certificate check": ((295, 297, 299), "certificate validation|certificate verification|certificate check|verify certificate"),
    "timing": ((203, 208, 385), "timing attack|side channel|timing oracle|constant time|padding oracle"),
    "spoofing": ((290, 345, 451), "spoof|spoofing|address bar|impersonate"),
    "credentials": ((255, 256, 522, 798), "hardcoded|hard coded|default password|default credential|credential"),
    "subdomain takeover": ((), "subdomain takeover|dangling cname|dangling dns"),
    "upload": ((434,), "file upload|unrestricted upload|arbitrary upload"),
    "template injection": ((1336,), "ssti|template injection"),
}  # fmt: skip

BY_CWE: dict[int, str] = {number: name for name, (numbers, _) in reversed(WEAKNESSES.items()) for number in numbers}
