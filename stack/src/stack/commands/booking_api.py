"""Booking's API as the commands of `attend` call it."""

from typing import Self
from urllib.parse import quote

from stack.commands.service_api import KEY_VARIABLE, ServiceApi

_HINTS = {
    "NO_KEY": f"set {KEY_VARIABLE} to the operator's key, or to a client's that may set policies",
    "MAY_NOT_SET_POLICY": "`attend clients create NAME … --may-set-policy`, or use the operator's key",
    "MAY_NOT_MANAGE_CLINICS": "`attend clients create NAME … --may-manage-clinics`",
}


class Booking(ServiceApi):
    """The way to booking's API."""

    @classmethod
    def here(cls) -> Self:
        """Look at ATTEND_BOOKING_URL and ATTEND_OPERATOR_KEY, else at the running installation."""
        return cls.at("booking", _HINTS)


def clinic_path(clinic: str) -> str:
    """Return the path of a clinic's reminder policy."""
    return f"/v1/clinics/{quote(clinic, safe='')}/reminder-policy"
