"""What a clinic's morning is begun with, out of the batch's own transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from chassis.postgres.columns import columns
from chassis.postgres.database import Connection
from notifier.fanout import morning_statements
from notifier.fanout.domain.mornings import Morning, TodaysVisit
from notifier.fanout.handle.reminders import Expected, GoneSeen, PlanSeen
from schemas.appointments import Status


class Mornings:
    """See `fanout.handle.reminders.RemindersStore`.

    Args:
        connection: In a READ COMMITTED transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def keep_plans(self, plans: Collection[PlanSeen]) -> None:
        ahead = [(plan.appointment_id, one) for plan in plans for one in plan.ahead]
        await self._connection.execute(
            morning_statements.KEEP_PLANS,
            *columns(plans, "appointment_id", "version", "schedule_gen"),
            [appointment for appointment, _ in ahead],
            [one.reminder_id for _, one in ahead],
            [one.due for _, one in ahead],
            [one.not_after for _, one in ahead],
        )

    async def drop_from_plans(self, gone: Collection[GoneSeen]) -> None:
        pairs = [(one.appointment_id, reminder) for one in gone for reminder in one.reminder_ids]
        await self._connection.execute(
            morning_statements.DROP_FROM_PLANS,
            [appointment for appointment, _ in pairs],
            [reminder for _, reminder in pairs],
        )

    async def expected(self, mornings: Sequence[Morning], now: datetime) -> Mapping[int, Sequence[Expected]]:
        rows = await self._connection.fetch(
            morning_statements.EXPECTED,
            *columns(mornings, "clinic_id", "begins", "ends", "noon_before"),
            now,
        )
        found: dict[int, list[Expected]] = {}
        for row in rows:
            visit = TodaysVisit(
                row["appointment_id"], row["schedule_gen"], row["starts_at"], row["told"], row["to_come"]
            )
            found.setdefault(row["place"] - 1, []).append(Expected(Status(row["status"]), visit))
        return found

    async def forget_plans(self, mornings: Sequence[Morning]) -> None:
        await self._connection.execute(
            morning_statements.FORGET_PLANS, [one.clinic_id for one in mornings], [one.begins for one in mornings]
        )
