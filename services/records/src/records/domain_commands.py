"""What a person may do to a sub-file: close it, open it again, give it another provider (D1, D6). Pure."""

from collections.abc import Container
from dataclasses import dataclass, replace
from enum import StrEnum

from records.domain import SubFile
from schemas.subfiles import SubFileStatus
from schemas.wire import derived_id


class Act(StrEnum):
    """What is done."""

    CLOSE = "close"
    REOPEN = "reopen"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Command:
    """A person's wish.

    Attributes:
        provider_id: With `Act.PROVIDER` the new provider; None takes him away.
    """

    sub_file_id: str
    act: Act
    by: str
    reason: str
    provider_id: str | None = None


class Refused(Exception):
    """A command that the sub-file's state does not allow.

    Attributes:
        code: SUB_FILE_PARKED, SUB_FILE_CLOSED, SUB_FILE_REPLACED or UNKNOWN_PROVIDER.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def changed(file: SubFile, newest: SubFile, command: Command, known_providers: Container[str]) -> SubFile:
    """Return the sub-file as the command leaves it; the same object if it is so already.

    Args:
        newest: The newest sub-file of the same patient and clinic; `file` itself if none came after it.

    Raises:
        Refused: SUB_FILE_PARKED: without a number there is nothing to close. SUB_FILE_CLOSED: a closed file's
            provider stays. SUB_FILE_REPLACED: a later file took its place (D1). UNKNOWN_PROVIDER.
    """
    if command.act is Act.CLOSE:
        return _closed(file, command)
    if command.act is Act.REOPEN:
        return _reopened(file, newest, command)
    return _with_provider(file, command, known_providers)


def _closed(file: SubFile, command: Command) -> SubFile:
    if file.status is SubFileStatus.PARKED:
        raise Refused("SUB_FILE_PARKED", "it waits for the patient's main file: register the patient, then close it")
    return _next(file, command, status=SubFileStatus.CLOSED)


def _reopened(file: SubFile, newest: SubFile, command: Command) -> SubFile:
    if newest.sub_file_id != file.sub_file_id:
        raise Refused("SUB_FILE_REPLACED", f"file {newest.ordinal:02d} of this patient and clinic took its place")
    return file if file.status is not SubFileStatus.CLOSED else _next(file, command, status=SubFileStatus.ACTIVE)


def _with_provider(file: SubFile, command: Command, known_providers: Container[str]) -> SubFile:
    if file.status is SubFileStatus.CLOSED:
        raise Refused("SUB_FILE_CLOSED", "a closed file keeps its provider: open it again first")
    if command.provider_id is not None and command.provider_id not in known_providers:
        raise Refused("UNKNOWN_PROVIDER", "no snapshot of this provider has come: enter the provider at booking first")
    return _next(file, command, provider_id=command.provider_id, wanted_provider_id=command.provider_id)


def _next(file: SubFile, command: Command, **changes: object) -> SubFile:
    wished = replace(file, **changes)  # type: ignore[arg-type]  # names of fields, checked by dataclasses
    if wished == file:
        return file
    version = file.version + 1
    return replace(wished, version=version, caused_by=cause_of(file.sub_file_id, version, command.act))


def cause_of(sub_file_id: str, version: int, act: Act) -> str:
    """Return the id of the command that led to this version; the audit's row has it too."""
    return str(derived_id("sub-file-command", sub_file_id, version, act))
