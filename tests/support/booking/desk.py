"""Words of the tests about a clinic's desk."""

from typing import Any

from tests.support.booking.door import KEY, Door, booking

DAY = {"clinic": "EYE", "day": "2027-03-12"}
ILL = {**DAY, "event_id": "day-1", "reason": "Dr Who is ill", "by": "Ms Desk"}


async def booked(door: Door, count: int = 4, **given: Any) -> list[str]:
    """Book visits of one day, half an hour apart from 10:00 at the clinic; return their ids."""
    starts = [f"2027-03-12T{10 + n // 2:02}:{30 * (n % 2):02}:00Z" for n in range(count)]
    bodies = [
        booking(f"e{n}", f"v{n}", start=start, **{"end": None, "patient": {"id": f"p-{n // 2}"}, **given})
        for n, start in enumerate(starts)
    ]
    return [one["appointment_id"] for one in (await door.post(bodies))["results"]]


async def desk(door: Door, act: str, body: Any, status: int = 200, key: str = KEY, query: str = "") -> Any:
    answer = await door.ask("POST", f"/v1/appointments/{act}{query}", body, key=key)
    assert answer.status_code == status, answer.text
    return answer.json()


async def statuses(door: Door) -> dict[str, str]:
    rows = await door.pool.fetch(
        "SELECT source_id, status FROM appointment JOIN appointment_alias USING (appointment_id)"
    )
    return {row["source_id"]: row["status"] for row in rows}
