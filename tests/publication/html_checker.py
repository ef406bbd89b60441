"""The Nu Html Checker over published sites, their pages, stylesheet and mark: make html-check VNU=vnu.jar"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.publication.published_samples import POLICIES, site
from triaged.policy.load import load_policy
from triaged.publication.site import site_files

EMPTY = {"years": (), "advisories": (), "kept": (), "public_key": ""}
MEND = (
    "npm pack vnu-jar && tar -xzf vnu-jar-*.tgz, then make html-check VNU=package/build/dist/vnu.jar; it wants Java 17"
)

# The checker reads no address of the loopback, and a file has no origin that "self" could mean; Chromium serves and loads it.
NO_ORIGIN = r".*external stylesheet .*site\.css. blocked by .style-src. directive.*"


def written(folder: Path) -> list[str]:
    """The sites of the three policies that ship, and an empty one; the paths that the checker reads."""
    sites = {path.stem: site(policy=load_policy(path)) for path in sorted(POLICIES.glob("*.toml"))}
    sites["empty"] = site(base="", **EMPTY)
    paths = []
    for name, values in sites.items():
        for path, octets in site_files(values).items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_bytes(octets)
            paths += [str(folder / name / path)] if path.endswith((".html", ".css", ".svg")) else []
    return paths


def main() -> int:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        print(f"The checker is missing: {MEND}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        paths = written(Path(folder))
        options = ["--also-check-css", "--also-check-svg", "--Werror", "--filterpattern", NO_ORIGIN]
        run = subprocess.run(["java", "-jar", sys.argv[1], *options, *paths])
    print(f"{len(paths)} files read, {'no fault found' if run.returncode == 0 else 'faults above'}")
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
