"""What is shown of a patient's opt-outs: never an address."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from notifier.opt_outs.bodies import LiftedView, OptOutView
from schemas.notifications import Channel


class PatientOptOuts(BaseModel):
    """What may not leave to his addresses, whoever else is at them."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "patient_id": "01a1b3c4-0000-7000-8000-000000000001",
                "items": [
                    {
                        "channel": "sms", "category": "reminders", "since": "2027-03-01T09:00:00Z",
                        "caused_by": "client/riverside/front desk",
                    }
                ],
                "lifted": [],
                "without_address": ["email"],
            }
        }
    )  # fmt: skip

    patient_id: UUID = Field(description="Our id of the patient; of one who was merged away, of the one who is kept.")
    items: list[OptOutView] = Field(
        description="What is stopped now, since when and by whom. Of what a client did not stop itself it reads who in "
        "one word: `reply`, `unsubscribe`, `carrier`, `staff`, `client`."
    )
    lifted: list[LiftedView] = Field(description="What was stopped and last taken back, when and by whom.")
    without_address: list[Channel] = Field(
        description="Channels on which he has no address now: nothing is stopped or lifted there. Preferences hold "
        "whatever his address is."
    )
