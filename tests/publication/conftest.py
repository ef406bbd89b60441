"""HTML Tidy, as tests of pages ask for it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import installed
from tests.servers.process import binary


@pytest.fixture(scope="session")
def tidy() -> Callable[[str], str]:
    """What it finds wrong with a page; empty where nothing is."""
    installed("tidy", "apt install tidy")
    program = binary("tidy", "apt install tidy")

    def found(text: str) -> str:
        run = subprocess.run([program, "-e", "-q", "-utf8"], input=text.encode(), capture_output=True, check=False)
        # Tidy is older than ARIA 1.1, which brought this attribute; axe knows it.
        return "".join(line for line in run.stderr.decode().splitlines(True) if '"aria-current"' not in line)

    return found
