"""The configuration file and environment → Settings, or everything that is wrong with them at once. The only reader of
both; the environment comes in as an argument."""

from __future__ import annotations

import os.path
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triaged.policy.load import PolicyError, load_policy
from triaged.policy.model import Policy
from triaged.policy.problem import Path as Key
from triaged.policy.problem import Problem, dotted
from triaged.policy.table import read_table
from triaged.settings import build
from triaged.settings.contradictions import RULES
from triaged.settings.environment import overlay
from triaged.settings.kinds import SecretSource
from triaged.settings.model import Settings
from triaged.settings.schema import ROOT
from triaged.settings.secret import Secret
from triaged.settings.tokens import is_key_file

_LARGEST = 1 << 20  # bytes of the configuration file
_LARGEST_SECRET = 1 << 16
_PLACES = ("triaged.toml", "/etc/triaged/triaged.toml")  # the first relative to the working directory


class SettingsError(Exception):
    """A configuration that can't be used; `problems` holds every reason."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def find(option: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The configuration file: --config, $TRIAGED_CONFIG, ./triaged.toml, /etc/triaged/triaged.toml."""
    named = option or (Path(environ["TRIAGED_CONFIG"]) if environ.get("TRIAGED_CONFIG") else None)
    if named:
        return cwd / named
    found = next((cwd / place for place in _PLACES if (cwd / place).is_file()), None)
    if found is None:
        text = (
            f"is not there, nor is {_PLACES[1]}: run `triaged init`, or name the file with --config or $TRIAGED_CONFIG"
        )
        raise SettingsError((Problem(str(cwd / _PLACES[0]), "", text),))
    return found


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of that file under that environment. Raises SettingsError with all problems at once."""
    laid = overlay(_toml(path), environ, ROOT)
    reading = _Reading(path, environ, laid.raw, laid.origins, list(laid.problems))
    values = read_table(ROOT, laid.raw, (), reading.note)
    unread = set(reading.noted)  # a rule has nothing to add to a key whose value can't stand
    for key, text in (found for rule in RULES for found in rule(values)):
        if key not in unread:
            reading.note(key, text)
    policies = _policies(values, reading)
    inventories = {name: _inventory(key, name, reading) for key, name in _inventories(values)}
    secrets = {id(source): reading.secret(key, source) for key, source in _sources(values)}
    if reading.problems:
        raise SettingsError(tuple(reading.problems))
    return build.settings(values, path, policies, lambda source: secrets.get(id(source)), inventories)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One file being read: what it says, and what is wrong with it so far."""

    path: Path
    environ: Mapping[str, str] = field(repr=False)
    raw: dict[str, Any] = field(repr=False)
    origins: dict[Key, str] = field(repr=False)
    problems: list[Problem]
    noted: list[Key] = field(default_factory=list)

    def note(self, key: Key, text: str) -> None:
        variable = self.origins.get(key)
        where = f"environment variable {variable}" if variable else str(self.path)
        self.noted.append(key)
        self.problems.append(Problem(where, dotted(key, self.raw), text))

    def secret(self, key: Key, source: SecretSource) -> Secret | None:
        """What the source holds; None, noted, where it holds nothing."""
        if source.form == "value":
            return self._usable(key, "the secret", source.text)
        if source.form == "env":
            return self._of_environment(key, source.text)
        return self._of_file(key, self.path.parent / source.text)

    def _of_environment(self, key: Key, variable: str) -> Secret | None:
        text = self.environ.get(variable, "")
        if not text:
            self.note(key, f"the environment variable {variable} is not set: set it, or name another")
            return None
        return self._usable(key, f"the environment variable {variable}", text)

    def _of_file(self, key: Key, path: Path) -> Secret | None:
        may_be_absent = key == ("keys", "address")  # then it is made once and kept in the tracker
        try:
            with path.open("rb") as file:
                text = file.read(_LARGEST_SECRET + 1).decode().rstrip("\r\n")
        except OSError as error:
            if may_be_absent and isinstance(error, FileNotFoundError):
                return None
            why = (error.strerror or "unreadable").lower()
            self.note(key, f"{path} can't be read ({why}): make it, readable for this user, or name another")
            return None
        except UnicodeDecodeError:
            self.note(key, f"{path} is not UTF-8 text: write the secret as text")
            return None
        if text:
            return self._usable(key, str(path), text)
        if not may_be_absent:
            self.note(key, f"{path} is empty: write the secret into it")
        return None

    def _usable(self, key: Key, what: str, text: str) -> Secret | None:
        """A secret goes out on one line of IMAP or SMTP, so a second line in it is a slip. A key file has many."""
        if key[-1] == "service_account":
            if is_key_file(text):
                return Secret(text)
            self.note(key, f"{what} is not the JSON key file of a service account: download one, and name it by file")
            return None
        if len(text) <= _LARGEST_SECRET and not any(c in text for c in "\0\r\n"):
            return Secret(text)
        self.note(key, f"{what} holds more than one line, or something larger or binary: give it the secret alone")
        return None


def _toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            octets = file.read(_LARGEST + 1)
        if len(octets) > _LARGEST:
            raise _unusable(path, "is larger than 1 MiB: name a configuration file")
        return tomllib.loads(octets.decode())
    except OSError as error:
        why = (error.strerror or "unreadable").lower()
        raise _unusable(path, f"can't be read ({why}): run `triaged init`, or name another with --config") from None
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not TOML, or a number of 5,000 digits
        raise _unusable(path, f"is not TOML in UTF-8 ({_position(error)}): mend that place") from None


def _unusable(path: Path, text: str) -> SettingsError:
    return SettingsError((Problem(str(path), "", text),))


def _position(error: Exception) -> str:
    """Where it is wrong; not what stands there, which may be a secret."""
    if isinstance(error, UnicodeDecodeError):
        return f"at octet {error.start}"
    return str(error) if isinstance(error, ValueError) else "nested too deep"


def _sources(values: dict[str, Any]) -> Iterator[tuple[Key, SecretSource]]:
    for index, mailbox in enumerate(values["mailbox"]):
        for server in ("imap", "smtp"):
            source = (mailbox.get(server) or {}).get("password")
            if source:
                yield ("mailbox", index, server, "password"), source
        for key in ("client_secret", "service_account", "refresh_token"):
            if source := (mailbox.get("oauth2") or {}).get(key):
                yield ("mailbox", index, "oauth2", key), source
    if source := (values["ops"].get("smtp") or {}).get("password"):
        yield ("ops", "smtp", "password"), source
    for key in ("address", "tokens"):
        if values["keys"].get(key):
            yield ("keys", key), values["keys"][key]


def _inventories(values: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    teams: list[tuple[Key, dict[str, Any]]] = [(("team",), values.get("team") or {})]
    teams += [(("tenant", n, "team"), one.get("team") or {}) for n, one in enumerate(values["tenant"])]
    yield from (((*key, "inventory"), team["inventory"]) for key, team in teams if team.get("inventory"))


def _inventory(key: Key, name: str, reading: _Reading) -> str:
    path = reading.path.parent / name
    try:
        with path.open("rb") as file:
            octets = file.read(_LARGEST + 1)
        if len(octets) > _LARGEST:
            reading.note(key, f"{path} is larger than 1 MiB: name what matters, with *.domain and networks")
        return octets[:_LARGEST].decode()
    except OSError as error:
        why = (error.strerror or "unreadable").lower()
        reading.note(key, f"{path} can't be read ({why}): make it, one name a line, or leave the key out")
    except UnicodeDecodeError:
        reading.note(key, f"{path} is not UTF-8 text: write one name a line")
    return ""


def _policies(values: dict[str, Any], reading: _Reading) -> dict[int, Policy]:
    """The policy of each mailbox by its place; a file that several name is read once and complained of once."""
    known: dict[Path, Policy | None] = {}
    for index, mailbox in enumerate(values["mailbox"]):
        if "policy" not in mailbox:
            continue
        path = reading.path.parent / mailbox["policy"]
        if path not in known:
            known[path] = _policy(path, ("mailbox", index, "policy"), reading)
    _same_version_same_text(known, reading)
    places = (
        (index, known.get(reading.path.parent / one.get("policy", ""))) for index, one in enumerate(values["mailbox"])
    )
    return {index: policy for index, policy in places if policy}


def _policy(path: Path, key: Key, reading: _Reading) -> Policy | None:
    if not os.path.isfile(path):  # not Path.is_file, which raises for a name too long
        reading.note(key, f"{path} is no file: name a policy file, relative to the configuration file")
        return None
    try:
        return load_policy(path)
    except PolicyError as error:
        reading.problems.extend(error.problems)
        return None


def _same_version_same_text(known: Mapping[Path, Policy | None], reading: _Reading) -> None:
    seen: dict[tuple[str, str], Policy] = {}
    for policy in filter(None, known.values()):
        first = seen.setdefault((policy.name, policy.version), policy)
        if first.sha256 != policy.sha256:
            same = f"is version {policy.version} of {policy.name} and so is {first.path}, with another text"
            text = f"{same}: give it a version of its own"
            reading.problems.append(Problem(str(policy.path), "policy.version", text))
