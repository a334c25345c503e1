"""What other services ask about a caller's key, and what they are answered."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MOST_IDS = 1_000
"""Visits in one question."""


class WhoView(BaseModel):
    """Whose key it is, and what its holder may do. `*`: all sources, all clinics."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "client_id": "riverside", "sources": ["riverside"], "clinics": ["EYE"], "default_clinic": None,
                "may_register": True, "may_set_policy": False, "may_manage_clinics": False, "may_clear": False,
                "may_override_clearance": False,
            }
        }
    )  # fmt: skip

    client_id: str = Field(description="The name it was created with; `operator` for the operator's key.")
    sources: list[str] = Field(description="The systems whose names it may use.")
    clinics: list[str] = Field(description="The clinics whose visits it sees.")
    default_clinic: str | None = Field(description="Where its bookings land that name no clinic.")
    may_register: bool = Field(description="Whether it may register and change patients.")
    may_set_policy: bool = Field(description="Whether it may set the policies of clinics.")
    may_manage_clinics: bool = Field(description="Whether it may enter and change clinics and clinicians.")
    may_clear: bool = Field(description="Whether it may say whether visits are cleared.")
    may_override_clearance: bool = Field(description="Whether it may check in whose visit is not cleared.")


class SeenBody(BaseModel):
    """The visits asked about; repeats are answered once."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"ids": ["01a2b3c4-0000-7000-8000-000000000001"]}}
    )

    ids: list[UUID] = Field(min_length=1, max_length=MOST_IDS, description="Our ids.")


class SeenVisit(BaseModel):
    """One visit that the holder of the key sees."""

    appointment_id: UUID
    source: str = Field(description="The system that it came from.")
    source_id: str | None = Field(description="What that system calls it.")


class SeenAnswer(BaseModel):
    """Those that he sees, in no order; what is missing is not there, or not his."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "appointment_id": "01a2b3c4-0000-7000-8000-000000000001",
                        "source": "riverside",
                        "source_id": "v-1",
                    }
                ]
            }
        }
    )

    items: list[SeenVisit]


class WritablePatient(BaseModel):
    """The patient whom the holder of the key may write; of one who was merged away, the one who is kept."""

    model_config = ConfigDict(json_schema_extra={"example": {"patient_id": "01a1b3c4-0000-7000-8000-000000000001"}})

    patient_id: UUID
