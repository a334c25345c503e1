"""The ledger's words as staff read them: every reason, kind and channel in plain English."""

from notifier.ledger.domain.notification import CANNOT_COMPOSE, NO_TEMPLATE
from schemas.notifications import Channel, DeliveryState, Kind
from schemas.reminders import Reason

REASONS: dict[Reason, str] = {
    Reason.DUE_IN_PAST: "its moment was already past when the visit was booked or moved",
    Reason.TOO_LATE: "it would have come too late to be of use",
    Reason.QUIET_HOURS: "the clinic's sending hours left no time for it",
    Reason.APPOINTMENT_CANCELLED: "the visit had been cancelled",
    Reason.RESCHEDULED: "the visit had been moved; the new time has its own",
    Reason.NOT_SENDABLE: "the visit was not in a status that is messaged about",
    Reason.CHANNELS_DISABLED: "the patient has switched every channel off",
    Reason.NO_CONTACT: "there is no mobile number and no email address that can be used",
    Reason.NO_CONSENT: "the patient has not consented to messages",
    Reason.DO_NOT_CONTACT: "the patient is not to be contacted",
    Reason.DECEASED: "the patient is recorded as deceased",
    Reason.UNKNOWN_PATIENT: "the patient was never registered, so no contact is known",
    Reason.UNKNOWN_PROVIDER: "the visit names no provider that is known",
    Reason.PAST_VISIT: "the visit had begun already",
    Reason.BACKFILL: "the visit is imported history, about which nobody is told",
    Reason.HELD: "the sending mode did not let it out",
    Reason.HELD_BACK: "the booking system contradicts itself, and nobody knows whether the visit stands",
    Reason.SUPERSEDED: "another message took its place",
    Reason.REFUSED: "the carrier refused it for good",
    Reason.OUTCOME_UNKNOWN: "the carrier may or may not have taken it; it is not sent twice",
    Reason.NOT_ACCEPTED: "the carrier kept refusing it until its time was up",
    Reason.UNDELIVERED: "the carrier took it and could not deliver it",
    Reason.OPTED_OUT: "the patient has opted out of these messages on this channel",
    Reason.OUTSIDE_WINDOW: "the channel's hours were closed",
    Reason.LIMIT: "the patient had two messages about this visit that day already",
    Reason.NOT_WANTED: "the clinic does not send this kind of message",
    Reason.ALREADY_TOLD: "another message had told or will tell the same",
    Reason.CLEARED: "nothing was missing any more",
    Reason.DROPPED: "a person took it off the work list",
    Reason.UNDECIDABLE: "it could not be decided: the log names the error; once that is mended, send it again",
}

AHEAD: dict[Reason, str] = {
    Reason.TOO_LATE: "it would come too late to be of use",
    Reason.QUIET_HOURS: "the clinic's sending hours leave no time for it",
    Reason.APPOINTMENT_CANCELLED: "the visit is cancelled",
    Reason.RESCHEDULED: "the visit was moved; the new time has its own",
    Reason.NOT_SENDABLE: "the visit is not in a status that is messaged about",
    Reason.UNKNOWN_PATIENT: "the patient is not registered, so no contact is known",
    Reason.PAST_VISIT: "the visit has begun",
    Reason.HELD: "the sending mode is allow-list, and his address is not on it",
    Reason.REFUSED: "the carrier has refused it for good",
    Reason.NOT_ACCEPTED: "the carrier has kept refusing it until its time was up",
    Reason.LIMIT: "the patient has had two messages about this visit today",
    Reason.CLEARED: "nothing is missing any more",
    Reason.ALREADY_TOLD: "another message has told or will tell the same",
}
"""Of what is still to come; for the others `REASONS` says it as well."""

CHANNELS: dict[Channel, str] = {
    Channel.IN_APP: "in-app",
    Channel.EMAIL: "email",
    Channel.SMS: "SMS",
    Channel.WHATSAPP: "WhatsApp",
}

DELIVERIES: dict[DeliveryState, str] = {
    DeliveryState.UNKNOWN: "the carrier took it and has not said whether it arrived",
    DeliveryState.UNDELIVERED: "reported as not delivered",
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.READ: "read",
}


NOT_ASKED: dict[str, str] = {
    NO_TEMPLATE: "no template for it is approved, so the carrier was not asked",
    CANNOT_COMPOSE: "it could not be written, so the carrier was not asked",
}
"""Of a call that was none, by its code, instead of what a carrier would have said."""

NOT_ON_THIS_CHANNEL = "there is no address on it that can be used"
"""NO_CONTACT of a single channel."""

NOTHING_TO_TAKE_BACK = "the patient had not been told of the visit, or it stands again"
"""NOT_SENDABLE of a cancellation's notice."""


def reason_words(reason: str | None, kind: Kind | None = None) -> str:
    """Return a reason as a clause; one that this version does not know stays as it is.

    Args:
        reason: A code of `schemas.reminders.Reason`.
    """
    if reason is None:
        return "no reason is recorded"
    if (kind, reason) == (Kind.CANCELLED, Reason.NOT_SENDABLE):
        return NOTHING_TO_TAKE_BACK
    return REASONS[Reason(reason)] if reason in Reason.__members__ else reason


def words_ahead(reason: Reason, kind: Kind | None = None) -> str:
    """Return as a clause why a message that is still to come will not be sent, as things stand."""
    taken_back = (kind, reason) == (Kind.CANCELLED, Reason.NOT_SENDABLE)
    return AHEAD[reason] if reason in AHEAD and not taken_back else reason_words(reason, kind)
