"""What is asked of the database for a day of visits: bounds that an index has, and only the client's own."""

from datetime import timedelta
from uuid import UUID

from booking.appointments.visits import page_statement
from booking.appointments.wanted import Wanted
from booking.door.domain import OPERATOR, Client
from tests.support.booking.builders import START

DAY = Wanted(START, START + timedelta(days=1), clinic="EYE")


def test_a_clinics_day_is_one_range_for_each_source_at_the_clinic() -> None:
    statement, values = page_statement(Client("desk", ("pas", "web")), ["pas", "web"], DAY, None, 100)

    assert statement.count("source = $") == statement.count("clinic_id = $") == 2
    assert "starts_at < $3" in statement
    assert values == [START, UUID(int=0), DAY.until, "EYE", "pas", "web"] or values[3:] == ["pas", "web", "EYE"]


def test_nobody_sees_more_than_his_clinics_and_sources() -> None:
    limited = Client("desk", ("pas",), ("EYE", "ENT"))
    statement, values = page_statement(limited, ["pas"], Wanted(START), None, 10)
    assert statement.count("UNION ALL") == 1
    assert {"pas", "EYE", "ENT"} < set(values)

    whose = Wanted(START, provider=UUID(int=9))
    statement, values = page_statement(limited, ["pas"], whose, None, 10)
    assert "source = ANY" in statement
    assert "clinic_id = ANY" in statement
    assert ["pas"] in values
    assert "ANY" not in page_statement(OPERATOR, [], whose, None, 10)[0]


def test_who_sees_nothing_asks_nothing() -> None:
    assert page_statement(Client("nobody", ()), [], DAY, None, 10)[0] == ""
