"""Refusals by which a carrier says that its reader wants no more: he told the carrier, and not us."""

_STOPPED = frozenset({"21610", "131050"})
"""Twilio: the recipient has replied STOP (twilio.com/docs/api/errors/21610). Meta: the user has stopped messages of
this business (developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes). The two number apart."""


def is_opt_out(code: str | None) -> bool:
    """Say whether a refusal's code is one, as an answer (`HTTP_400_21610`) or a report (`TWILIO_21610`) has it."""
    return code is not None and code.rpartition("_")[2] in _STOPPED
