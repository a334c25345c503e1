"""What `GET /v1/outcomes` answers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.notifications import DELIVERY, Channel, DeliveryState, Kind, Outcome
from schemas.reminders import Reason


class OutcomeView(BaseModel):
    """What became of one message, as of one version of it; no name and no address is in it."""

    notification_id: UUID = Field(description="The message; `GET /v1/notifications` has its calls.")
    version: int = Field(description="Rises with every outcome of the message; the highest is what is so now.")
    kind: Kind
    recipient: Literal["patient", "provider"]
    appointment_id: UUID = Field(description="Our id of the visit.")
    source: str | None = Field(description="The system the visit came from. Null: booking did not say, or has none.")
    source_id: str | None = Field(description="What that system calls the visit.")
    channel: Channel | None = Field(description="The channel used; null where none was.")
    state: Outcome
    reason: Reason | None = Field(description="Why it was not sent, or failed.")
    delivery_state: DeliveryState = Field(description=DELIVERY)
    at: datetime = Field(description="When it became so.")


class OutcomePage(BaseModel):
    """Outcomes in the order in which they can be read; `next_after` is the `after` of the next page, always."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "notification_id": "5b0c8f0e-0000-5000-8000-000000000001", "version": 1,
                        "kind": "confirmation", "recipient": "patient",
                        "appointment_id": "01a2b3c4-0000-7000-8000-000000000001", "source": "riverside",
                        "source_id": "v-1", "channel": "sms", "state": "accepted", "reason": None,
                        "delivery_state": "delivered", "at": "2027-03-01T09:00:00Z",
                    }
                ],
                "next_after": "NzYxLjE",
                "more": False,
            }
        }
    )  # fmt: skip

    items: list[OutcomeView]
    next_after: str = Field(description="Keep it: whoever asks with it again gets what came since.")
    more: bool = Field(description="Whether there is more to ask for at once. A page may be empty before the next.")
