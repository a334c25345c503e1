"""What is stopped, lifted and shown at the front desk."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from chassis.api.problems import Problem
from chassis.api.query_fields import By
from notifier.values.addresses import Address, Peppers, is_address
from notifier.values.kinds import Category
from schemas.notifications import Channel


class AddressBody(BaseModel):
    """An address: a mobile in E.164 or an email."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"address": "+447700900123"}})

    address: Annotated[str, StringConstraints(max_length=320, strip_whitespace=True)]

    def kept(self, peppers: Peppers) -> Address:
        """Return what it is kept under."""
        if not is_address(self.address.lower()):
            raise Problem(422, "BAD_ADDRESS", "address: a mobile in E.164 (+447700900123) or an email.")
        return peppers.of(self.address)


class WhatBody(BaseModel):
    """What is to be stopped, or lifted, and who says so; all that is left out is meant."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"channels": ["sms"], "by": "front desk"}})

    channels: list[Channel] = Field(default=[Channel.EMAIL, Channel.SMS, Channel.WHATSAPP], max_length=4)
    categories: list[Category] = Field(default=list(Category), max_length=2)
    by: By | None = None

    @property
    def outside(self) -> list[Channel]:
        """The channels named that have a carrier."""
        return sorted({channel for channel in self.channels if channel is not Channel.IN_APP})


class OptOutBody(AddressBody, WhatBody):
    """The same of an address."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"address": "ada@example.org", "by": "front desk"}}
    )


class OptOutView(BaseModel):
    """One thing that an address wants no more."""

    channel: Channel
    category: Category
    since: datetime
    caused_by: str


class LiftedView(BaseModel):
    """One thing that was stopped once, and may leave again."""

    channel: Channel
    category: Category
    at: datetime
    caused_by: str


class OptOutList(BaseModel):
    """All of it; empty: nothing is stopped. `lifted`: what was last taken back, when and by whom."""

    items: list[OptOutView]
    lifted: list[LiftedView] = []
