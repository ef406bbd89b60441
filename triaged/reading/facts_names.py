"""Whether a dotted word is a host name or a file, a version or a line of code. Knows names only, asks no DNS."""

from __future__ import annotations

from triaged.reading.facts_model import words

_GENERIC = words(
    "com org net edu gov mil int info biz eu dev cloud online site shop xyz tech network systems services solutions"
    " digital agency finance bank website space software company global world team business health university"
    " example test invalid local localdomain internal intranet corp lan onion arpa museum aero coop mobi asia"
)
_COUNTRIES = words(
    "ac ad ae af ag al ao aq ar aw az ba bb bd bf bg bh bi bj bm bn bo br bs bt bw by ca cd cf cg ch ci ck cl"
    " cm cn co cr cu cv cw cx cy cz de dj dk dm dz ec ee eg er es et fi fj fk fm fo fr ga gd ge gf gg gh gi gl"
    " gm gn gp gq gr gt gu gw gy hk hm hn hr ht hu ie il io iq ir je jm jo jp ke kg kh ki km kn kp kr kw ky kz"
    " lb lc li lk lr lt lu lv ly ma mc mg mh mm mn mo mp mq mr mu mv mw mx mz na nc ne nf ng ni nl np nr nu nz"
    " om pa pe pf pg ph pk pn pr pt pw qa re ro ru rw sa sb sd se sg si sk sl sm sn sr ss st sy sz tc td tg"
    " th tj tk tl tm tn tr tt tv tw tz ua ug uk us uy uz va vc ve vg vn vu wf ws ye yt za zm zw"
)
# Also words, files or members of objects: believed in www.NAME, NAME/path, NAME:port or with three labels.
_DOUBTFUL = words(
    "in is it at to no my be me do so as am an us pl cc md pm mk la ml bz im id ai app name page link host email"
    " blog news live group one store tools center pro media design zone run top club studio help chat map"
)
_FILES = words("py sh rs zip mov ps tf vi sv")  # believed in www.NAME and NAME/path only
_NOT_HOSTS = words(
    "asp.net vb.net ado.net ml.net java.io socket.io java.net node.io e.g.in dot.net readme.md spring.io.com"
)
# Placeholders for the one who attacks: no system of anybody's.
_ATTACKERS = words(
    "evil attacker attackers attacker-site evilsite hacker malicious burpcollaborator oastify oast interact"
)
# The first words of code, and of package names in reverse order (com.example.app).
_CODE = words(
    "document window location navigator this self req request res response obj os sys console module process java"
    " javax org com net io event e evt ctx args params config settings session system microsoft"
)


_KNOWN = (_GENERIC | _COUNTRIES) - _DOUBTFUL


def is_host(name: str, before: str, after: str, *, defanged: bool = False) -> bool:
    """Whether a dotted name is a host, seen the characters around it. A defanged one was meant as one."""
    labels = name.rstrip(".").split(".")
    if not _well_formed(labels) or name.lower() in _NOT_HOSTS or labels[0].lower() in _CODE:
        return False
    if not before.endswith("\\\\") and before[-1:] in ("/", "\\", "@", "%", "$"):
        return False
    if after in ("(", "@", "=") or (after and (after.isalnum() or after == "_")):
        return False
    if len(labels) > 1 and labels[-2].lower() in _ATTACKERS:
        return False
    top = labels[-1].lower()
    if top in _KNOWN:
        return True
    linked = defanged or labels[0].lower() == "www" or after in ("/", ":")
    if top in _FILES:  # "parse.py:88" is a line of a file
        return linked and after != ":"
    return top in _DOUBTFUL and (linked or (len(labels) > 2 and len(labels[-2]) > 1))


def _well_formed(labels: list[str]) -> bool:
    """Labels of letters, digits and inner hyphens; a version number within ("rel-1.16.3-prebuilt.qemu.org") is none."""
    top = labels[-1]
    if not top.isalpha() or not (top.islower() or "".join(labels).isupper()):
        return False
    if len(labels[-2]) < 2 and len(labels) < 3:
        return False
    numbered = any(label.isdigit() for label in labels[1:-2]) and not labels[0].isdigit()
    return not numbered and all(
        label[:1].isalnum() and label[-1:].isalnum() and "_" not in label for label in labels if label
    )
