"""A provider's notice leads to the appointment where the installation says it is opened (R20), and nowhere else."""

from datetime import date
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from notifier.inbox.domain import DayList, InboxEntry
from notifier.inbox.notice import notice_of
from notifier.settings import Settings
from schemas.notifications import Kind
from tests.support.notifier.builders import APPOINTMENT, notification, visit

OPENED_AT = "https://ehr.example/visits/{appointment_id}"


def settings(**given: Any) -> Settings:
    return Settings.model_validate({"database_url": "postgresql://x", "kafka_bootstrap_servers": "x:1", **given})


def entry() -> InboxEntry:
    return InboxEntry(notification(kind=Kind.PROVIDER_BOOKED), visit())


def test_r20_a_notice_leads_to_its_appointment() -> None:
    assert notice_of(entry(), OPENED_AT).link == f"https://ehr.example/visits/{APPOINTMENT}"


def test_without_a_place_where_appointments_are_opened_a_notice_and_a_list_of_the_day_carry_no_link() -> None:
    one = entry()
    day = DayList(one.notification, one.visit.provider_id, date(2027, 3, 1), (one.visit,))  # type: ignore[arg-type]

    assert settings().appointment_link is None
    assert settings(appointment_link="").appointment_link is None
    assert notice_of(one, None).link is None
    assert [line["link"] for line in orjson.loads(notice_of(day, None).visits or "[]")] == [None]


@pytest.mark.parametrize("link", ["/appointments/{appointment_id}", "https://ehr.example/visits", "ehr.example/{id}"])
def test_a_link_that_leads_to_no_appointment_is_refused_at_the_start(link: str) -> None:
    with pytest.raises(ValidationError, match="appointment_link"):
        settings(appointment_link=link)
