"""Prints what reading a report for facts, noise, purpose and what is missing costs: `python -m tests.bench.reading [MAILS]`."""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.bench.mails import mix
from triaged.daemon.desks import message_limits
from triaged.message.parse import parse
from triaged.reading.facts import facts
from triaged.reading.likeness import Description, profile
from triaged.reading.missing import missing
from triaged.reading.noise import noise
from triaged.reading.purpose import purpose
from triaged.settings.limits import Limits


def main() -> None:
    """CPU of this process, by stage, over mails of the usual mixture."""
    spent: dict[str, list[float]] = defaultdict(list)

    def timed(stage: str, work: Callable[..., Any], *given: Any) -> Any:
        start = time.process_time()
        result = work(*given)
        spent[stage].append((time.process_time() - start) * 1000)
        return result

    for number, mail in enumerate(mix(int(sys.argv[1]) if len(sys.argv) > 1 else 400, seed=7)):
        message = timed("parse", parse, mail.raw, message_limits(Limits()))
        found = timed("facts", facts, message)
        for stage, work in (("missing", missing), ("noise", noise), ("purpose", purpose)):
            timed(stage, work, message, found)
        pairs = tuple((fact.kind, fact.value) for fact in found)
        timed("profile", profile, Description(str(number), message.subject, message.new_text, pairs))
    for stage, times in spent.items():
        print(
            f"{stage}: median {statistics.median(times):.2f}, mean {statistics.mean(times):.2f}, most {max(times):.1f} ms"
        )


if __name__ == "__main__":
    main()
