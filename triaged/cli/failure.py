"""What went wrong, in a sentence that says what to do, and the exit code for it. Never a traceback, never mail content."""

from __future__ import annotations

DONE, FAILED, WRONG = 0, 1, 2


class CommandError(Exception):
    """It could not be done; the text is the sentence."""


def sentence(error: Exception) -> tuple[str, int]:
    """The words and the exit code for whatever ended a command."""
    from triaged.policy.load import PolicyError
    from triaged.settings.load import SettingsError

    if isinstance(error, CommandError):
        return str(error), FAILED
    if isinstance(error, SettingsError | PolicyError):
        return str(error), WRONG
    return _of_the_tracker(error) or _of_the_machine(error), FAILED


def _of_the_tracker(error: Exception) -> str | None:
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    from triaged.tracker.installation import PolicyChangedError
    from triaged.tracker.migrate import DatabaseError, mend

    if isinstance(error, PolicyChangedError | DatabaseError):
        return str(error)
    if isinstance(error, ArgumentError | NoSuchModuleError):
        return "[tracker] url is not one that triaged knows: use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
    if isinstance(error, ModuleNotFoundError) and error.name == "psycopg":
        return "PostgreSQL needs psycopg: install triaged[postgres]"
    return mend(error) if isinstance(error, SQLAlchemyError) else None


def _of_the_machine(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no file {error.filename}: check the path"
    if isinstance(error, PermissionError):
        return f"{error.filename} may not be read or written by this user: mend its rights"
    if isinstance(error, OSError):
        return f"the system refused: {error.strerror or type(error).__name__}"
    return f"this should not happen ({type(error).__name__}); please report it with the command that you gave"
