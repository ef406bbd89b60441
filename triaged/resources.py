"""Where the files beside the code are, installed or in a checkout; never opens them."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _beside_or_above(name: str) -> Path:
    """A wheel carries the folder inside the package; a checkout keeps it at the top level, beside the package."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name


def migrations() -> Path:
    """The folder with the Alembic environment (env.py, versions/)."""
    return _beside_or_above("migrations")


def starter_configuration() -> Path:
    """The commented triaged.toml that `triaged init` copies."""
    return _beside_or_above("config") / "triaged.toml"


def starter_policies() -> Path:
    """The folder of the policies that ship: one TOML file and one published text for each."""
    return _beside_or_above("config") / "policies"
