"""What is installed from the wheel stands alone: no file of the checkout is needed to run it."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
FIND = (
    "import triaged, triaged.resources as r; "
    "print(triaged.__file__, r.migrations() / 'env.py', r.starter_configuration(), "
    "r.starter_policies() / 'ims-network.toml', sep='\\n')"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(target), str(CHECKOUT)], check=True, timeout=100)
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_holds_migrations_policies_templates_and_the_starter(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"triaged/migrations/env.py", "triaged/config/triaged.toml", "triaged/py.typed"} <= names
    places = (
        ("triaged/config/policies/", ".toml"),
        ("triaged/ticket/templates/", ".j2"),
        ("triaged/publication/templates/", ".j2"),
        ("triaged/publication/templates/site/", ".css"),
        ("triaged/publication/schemas/", ".json"),
    )
    for folder, ending in places:
        assert any(name.startswith(folder) and name.endswith(ending) for name in names), folder
    assert not any(name.startswith("tests/") or "__pycache__" in name for name in names)


def test_an_unpacked_wheel_finds_its_files_inside_itself(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    run = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {FIND}"]
    found = subprocess.run(run, capture_output=True, text=True, check=True, cwd="/", timeout=20).stdout.splitlines()
    assert all(Path(path).is_file() and Path(path).is_relative_to(tmp_path) for path in found)


def test_a_checkout_finds_its_files_at_its_top_level():
    run = [sys.executable, "-c", FIND]
    found = subprocess.run(
        run, capture_output=True, text=True, check=True, cwd=CHECKOUT, timeout=20
    ).stdout.splitlines()
    assert all(Path(path).is_file() for path in found)
    assert [Path(path).relative_to(CHECKOUT).parts[0] for path in found] == [
        "triaged",
        "migrations",
        "config",
        "config",
    ]


def requirement_names(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.partition("==")[0] for line in lines if line and not line.startswith(" ")}


def test_every_pinned_requirement_has_hashes_and_no_list_names_a_place():
    for path in (CHECKOUT / "requirements").glob("*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line and not line.startswith(" ")]
        assert pins and all("--hash=sha256:" in lines[number + 1] for number in pins), path.name
        assert not any("://" in line or line.startswith("-") for line in lines), path.name


def test_what_the_project_depends_on_is_pinned():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = {declared.partition(">")[0].replace(".", "-") for declared in project["dependencies"]}
    assert core <= requirement_names(CHECKOUT / "requirements" / "core.txt")
    assert requirement_names(CHECKOUT / "requirements" / "core.txt") <= requirement_names(
        CHECKOUT / "requirements" / "dev.txt"
    )
