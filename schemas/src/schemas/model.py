"""The base of every contract model."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


class Contract(BaseModel):
    """A frozen message body.

    Fields unknown to this version are kept, so that a reader of today passes on what a writer of
    tomorrow adds (design §2).
    """

    model_config = ConfigDict(frozen=True, extra="allow", ser_json_timedelta="iso8601")


Instant = AwareDatetime
"""A point in time, aware. Writers put it in UTC; readers compare instants, never texts."""

ClinicId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,10}$")]
"""A clinic's code: unique, immutable, part of every sub-file number (D2)."""

MainFileNumber = Annotated[str, StringConstraints(pattern=r"^FILE-\d{4}-\d{6}$")]
"""A patient's main file (D2)."""

SubFileNumber = Annotated[str, StringConstraints(pattern=r"^FILE-\d{4}-\d{6}-[A-Z0-9]{2,10}-\d{2}$")]
"""A patient's file at one clinic (R4)."""

Version = Annotated[int, Field(ge=1)]
"""1, 2, 3… of one entity, given by its owner under the row lock (D40)."""
