"""The two commands of the README, on machines that have too little: a sentence that says what to do."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path):
    """The files that make reads, and no environment."""
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    shutil.copytree(CHECKOUT / "requirements", tmp_path / "requirements")
    return tmp_path


def make(clone, *arguments, path=None):
    environment = {"PATH": path or os.environ["PATH"], "HOME": str(clone)}
    return subprocess.run(
        [shutil.which("make"), "--no-print-directory", *arguments],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def only(clone, **programs):
    """A PATH with a shell's own programs and these."""
    folder = clone / "bin"
    folder.mkdir()
    for name in ("sh", "env"):
        (folder / name).symlink_to(shutil.which(name))
    for name, script in programs.items():
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return str(folder)


def test_without_python_make_run_says_what_to_install(clone):
    done = make(clone, "run", path=only(clone))
    assert done.returncode == 2 and "triaged needs Python 3.11 or newer" in done.stderr
    assert not (clone / ".venv").exists()


def test_an_old_python_is_not_taken(clone):
    done = make(clone, "run", path=only(clone, python3="#!/bin/sh\nexit 1\n"))
    assert done.returncode == 2 and "triaged needs Python 3.11 or newer" in done.stderr


def test_an_old_python_that_was_named_is_refused_by_its_name(clone):
    old = '#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.9.18; else exit 1; fi\n'
    done = make(clone, "test", "PYTHON=oldpython", path=only(clone, oldpython=old))
    assert done.returncode == 2 and "oldpython is Python 3.9.18" in done.stderr


def test_every_target_is_said_to_be_no_file():
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):(?!=)", text, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())
    assert targets == phony
