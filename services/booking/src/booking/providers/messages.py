"""What booking publishes of a clinician."""

from datetime import datetime
from uuid import UUID

from booking.values.identity import SOURCE
from chassis.outbox.writer import Outgoing
from schemas.envelope import Envelope
from schemas.people import PROVIDER_CHANGED, Provider
from schemas.topics import PROVIDERS
from schemas.wire import derived_id, encode


def provider_changed(provider_id: UUID, version: int, name: str, now: datetime) -> Outgoing:
    """Return the event of a provider's version."""
    key = str(provider_id)
    ce_id = str(derived_id("provider-event", key, version))
    body = Provider(provider_id=provider_id, version=version, name=name)
    return Outgoing(PROVIDERS, key, Envelope(ce_id, PROVIDER_CHANGED, SOURCE, key, now), encode(body))
