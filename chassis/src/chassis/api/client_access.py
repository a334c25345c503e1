"""Reads for those who sent: a client's key opens them as far as booking says what its holder sees (decision 0048)."""

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.routing import compile_path

from chassis.api.app import OperatorKey
from chassis.api.booking_rights import MOST_IDS, BookingRights, SeenVisit, Who
from chassis.api.door import Admit, refused
from chassis.api.problems import Problem
from chassis.process.errors import AttendError

NO_VISIT = UUID(int=0)
"""Of a visit that the caller does not see: nothing is found of it, as of one that is not there."""

OPERATOR = "operator"

AWAY = ("BOOKING_UNAVAILABLE",)
"""What a route that is open to clients may answer with 503, beside what any does."""
NAMING = ("ONE_VISIT", "NO_BOOKING_URL", "SOURCE_REQUIRED")
"""What a route may answer with 422 where a visit is named by its source."""
OF_PATIENT = {
    403: ("MAY_NOT_REGISTER", "FOREIGN_SOURCE", "FOREIGN_PATIENT"),
    404: ("UNKNOWN_PATIENT",),
    422: ("NO_BOOKING_URL", "SOURCE_REQUIRED"),
    503: AWAY,
}
"""What a route may answer that is about a patient whom the caller may write."""

type Opened = tuple[str, str]
"""Method and path of a route, as in `("GET", "/v1/things/{thing_id}")`."""

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="ClientKey",
    description="The key of an API client: `attend clients create`. The operator's key opens it too.",
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the operator, who sees everything, or a client, who sees what booking lets through.

    Attributes:
        who: None: the operator.
    """

    who: Who | None
    _key: str = field(default="", repr=False)
    _rights: BookingRights | None = None

    @property
    def client_id(self) -> str | None:
        """The client's name; None: the operator."""
        return None if self.who is None else self.who.client_id

    @property
    def is_operator(self) -> bool:
        """Whether everything may be shown."""
        return self.client_id is None

    def by(self, said: str | None) -> str:
        """Return who does something, for the record: a client with its name in front of whom it names."""
        if self.client_id is None:
            return said or OPERATOR
        return f"{self.client_id}/{said}" if said else self.client_id

    async def sees(self, visit: UUID) -> bool:
        """Say whether he sees this visit."""
        return self.is_operator or visit in await self.seen((visit,))

    async def only[T](self, items: Sequence[T], visit_of: Callable[[T], UUID | None]) -> list[T]:
        """Return those of these items whose visits he sees, in their order; what is of no visit is the operator's."""
        if self.is_operator or not items:
            return list(items)
        seen = await self.seen({visit for one in items if (visit := visit_of(one)) is not None})
        return [one for one in items if visit_of(one) in seen]

    async def own_page[T, A](
        self,
        read: Callable[[A | None, int], Awaitable[tuple[Sequence[T], A | None]]],
        after: A | None,
        limit: int,
        visit_of: Callable[[T], UUID | None],
    ) -> tuple[list[T], bool]:
        """Return a client's next items of a list in which others' lie between, and whether he has more.

        It is read on to the end of his page or of the list, so that a page that is not full, and the place where it
        ends, tell nothing of others.

        Args:
            read: Gives up to so many items after a place, and the place to go on from; None: that was the end.
        """
        found, rows = list[T](), min(limit + 1, MOST_IDS)
        while len(found) <= limit:
            items, after = await read(after, rows)
            found += await self.only(items, visit_of)
            if after is None:
                break
            rows = MOST_IDS
        return found[:limit], len(found) > limit

    def may_list(self, patient: UUID | None, clinic: str | None, no_filter: AttendError) -> bool:
        """Say whether a list of this patient, at this clinic, may have something of his.

        Raises:
            AttendError: `no_filter`: a client names neither.
        """
        if self.who is None:
            return True
        if patient is None and clinic is None:
            raise no_filter
        return clinic is None or self.who.sees_clinic(clinic)

    async def seen(self, visits: Collection[UUID]) -> dict[UUID, SeenVisit]:
        """Return what booking tells of those of these visits that he sees: the operator sees all that there are."""
        return dict(await self._booking().seen(self._key, visits)) if visits else {}

    async def visit(self, visit: UUID | None, source: str | None, name: str | None) -> UUID | None:
        """Return the visit that is asked for, `NO_VISIT` for one that he does not see; None: none is asked for.

        Args:
            source: Whose name for it is given; None: the caller's only source.

        Raises:
            Problem: 422: it is named in two ways; or a source is named, and no visit of it.
        """
        if name is None:
            if source is not None:
                raise Problem(422, "ONE_VISIT", "`source` goes with `id`: what it calls the visit.")
            return visit if visit is None or await self.sees(visit) else NO_VISIT
        if visit is not None:
            raise Problem(422, "ONE_VISIT", "Name the visit once: by appointment, or by id with its source.")
        return await self._booking().visit_named(self._key, source, name) or NO_VISIT

    async def patient(self, patient: UUID | None, source: str | None, name: str | None) -> UUID:
        """Return the patient whom he may write; the operator may by our id without asking booking.

        Raises:
            Problem: As booking refuses it: 403 FOREIGN_PATIENT, FOREIGN_SOURCE or MAY_NOT_REGISTER, 404
                UNKNOWN_PATIENT, 422 ONE_SUBJECT.
        """
        if patient is not None and name is None and self.is_operator:
            return patient
        given = {"patient": None if patient is None else str(patient), "source": source, "id": name}
        return await self._booking().patient(self._key, {key: one for key, one in given.items() if one is not None})

    def _booking(self) -> BookingRights:
        if self._rights is None:
            raise Problem(422, "NO_BOOKING_URL", "This service was not told where booking answers: ask by our ids.")
        return self._rights


class ClientAccess:
    """Which routes are open to clients, at the door and as a dependency of those routes.

    Args:
        rights: None: no client is known, and only the operator's key opens anything.
        opened: The routes that clients may ask.
        otherwise: What else the door lets in.
    """

    def __init__(
        self,
        operator: OperatorKey,
        rights: BookingRights | None,
        opened: Collection[Opened],
        otherwise: Admit | None = None,
    ) -> None:
        self._operator, self._rights, self._otherwise = operator, rights, otherwise
        self._opened: list[tuple[str, re.Pattern[str]]] = [(method, compile_path(path)[0]) for method, path in opened]

    async def admit(self, key: str, method: str, path: str) -> bool:
        """See `door.Admit`: booking is asked about a key only where clients may ask something."""
        if self._operator.opens(key):
            return True
        if self._otherwise is not None and await self._otherwise(key, method, path):
            return True
        open_here = any(method == one and pattern.match(path) for one, pattern in self._opened)
        return open_here and await self._who(key) is not None

    async def __call__(self, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None) -> Asker:
        """Let the operator and every client in, and say who it is."""
        key = "" if given is None else given.credentials
        if self._operator.opens(key):
            return Asker(None, key, self._rights)
        who = await self._who(key)
        if who is None:
            raise refused(key)
        return Asker(who, key, self._rights)

    async def _who(self, key: str) -> Who | None:
        return None if self._rights is None else await self._rights.who(key)
