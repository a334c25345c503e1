"""Our own JSON: shapes that are refused, each with its own code and place, never with the value."""

from typing import Any

import orjson
import pytest

from booking.appointments.domain.command import BookAppointment
from booking.door.domain import Client
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints
from booking.values.refusals import Refused
from booking.values.unset import UNSET
from tests.support.booking.builders import LOCAL, NOW, START


def body(**appointment: Any) -> dict[str, Any]:
    visit = {"id": "v1", "status": "booked", "patient": {"id": "ann"}, "clinic": "EYE", "start": START.isoformat()}
    return {"event_id": "e1", "appointment": {**visit, **appointment}}


def parse(value: Any, hints: Hints | None = None) -> Any:
    return PlainJson().parse(orjson.dumps(value), hints or Hints(LOCAL, NOW)).commands


def test_fields_left_out_are_not_the_same_as_null() -> None:
    (order,) = parse(body(provider=None))
    assert (order.provider, order.ends_at, order.starts_at) == (None, UNSET, START)


def test_an_array_and_an_object_of_events_are_batches_answered_item_by_item() -> None:
    for batch in ([body(), {}], {"events": [body(), {}]}):
        good, bad = parse(batch)
        assert isinstance(good, BookAppointment)
        assert isinstance(bad, Refused)


def test_the_header_idempotency_key_stands_for_a_missing_event_id() -> None:
    value = body()
    del value["event_id"]
    (order,) = parse(value, Hints(LOCAL, NOW, key="k1"))
    assert order.key == "k1"
    with pytest.raises(Refused, match="MISSING_FIELD"):
        parse(value)


def test_one_idempotency_key_does_not_stand_for_a_batch() -> None:
    value = body()
    del value["event_id"]
    (refusal,) = parse([value], Hints(LOCAL, NOW, key="k1"))
    assert refusal.code == "MISSING_FIELD"


def test_the_hash_does_not_depend_on_blanks_or_the_order_of_keys() -> None:
    value = body()
    turned = dict(reversed(value.items()))
    assert parse(value)[0].body_sha256 == parse(turned)[0].body_sha256
    assert parse(value)[0].body_sha256 != parse(body(status="cancelled"))[0].body_sha256


def without(name: str) -> dict[str, Any]:
    value = body()
    del value["appointment"][name]
    return value


SHAPES: dict[str, tuple[Any, str, str]] = {
    "a number": (1, "WRONG_TYPE", ""),
    "no appointment": ({"event_id": "e"}, "MISSING_FIELD", "appointment"),
    "no id": (without("id"), "MISSING_FIELD", "appointment.id"),
    "no status": (without("status"), "MISSING_FIELD", "appointment.status"),
    "id is a number": (body(id=7), "WRONG_TYPE", "appointment.id"),
    "patient is a text": (body(patient="ann"), "WRONG_TYPE", "appointment.patient"),
    "start is a number": (body(start=1), "WRONG_TYPE", "appointment.start"),
    "unknown status": (body(status="maybe"), "UNKNOWN_STATUS", "appointment.status"),
    "unknown mode": ({**body(), "mode": "dry"}, "UNKNOWN_MODE", "mode"),
    "over-long id": (body(id="x" * 201), "FIELD_TOO_LONG", "appointment.id"),
    "empty id": (body(id=""), "EMPTY_TEXT", "appointment.id"),
    "control character in an id": (body(id="a\tb"), "CONTROL_CHARACTER", "appointment.id"),
    "naive time": (body(start="2027-03-12T10:00"), "NAIVE_TIME", "appointment.start"),
    "unknown zone": (body(start="2027-03-12T10:00", zone="Mars/Base"), "UNKNOWN_ZONE", "appointment.zone"),
    "spring gap": (
        body(start="2027-03-28T01:30", zone="Europe/London"),
        "START_IN_SPRING_GAP",
        "appointment.start",
    ),
    "year 9999": (body(start="9999-01-01T00:00Z"), "TIME_OUT_OF_RANGE", "appointment.start"),
    "no date": (body(start="tomorrow"), "BAD_TIME", "appointment.start"),
    "foreign source": ({**body(), "source": "other"}, "FOREIGN_SOURCE", "source"),
    "empty batch": ([], "EMPTY_BATCH", "events"),
    "1,001 events": ([body()] * 1001, "BATCH_TOO_LARGE", "events"),
    "events is no array": ({"events": 1}, "WRONG_TYPE", "events"),
}


@pytest.mark.parametrize("what", SHAPES)
def test_a_shape_that_is_not_described_is_refused_with_its_place(what: str) -> None:
    value, code, place = SHAPES[what]
    with pytest.raises(Refused) as caught:
        parse(value)
    assert (caught.value.code, caught.value.place) == (code, place)


DETAILS: dict[str, tuple[Any, str, str]] = {
    "a reason over two lines": ({**body(), "reason": "unwell\nsince Monday"}, "CONTROL_CHARACTER", "reason"),
    "a reason of 240 characters": ({**body(), "reason": "x" * 240}, "FIELD_TOO_LONG", "reason"),
    "an empty reason": ({**body(), "reason": ""}, "EMPTY_TEXT", "reason"),
    "a reason that is an object": ({**body(), "reason": {"text": "unwell"}}, "WRONG_TYPE", "reason"),
    "confirmed is a text": (body(confirmed="yes"), "WRONG_TYPE", "appointment.confirmed"),
    "sequence is a text": ({**body(), "sequence": "1"}, "WRONG_TYPE", "sequence"),
    "sequence is a fraction": ({**body(), "sequence": 1.5}, "WRONG_TYPE", "sequence"),
    "sequence is huge": ({**body(), "sequence": 2**63}, "NUMBER_OUT_OF_RANGE", "sequence"),
    "bidi character in a service": (body(service_type="\u202eeye"), "BIDI_CHARACTER", "appointment.service_type"),
    "provider is a text": (body(provider="dr-who"), "WRONG_TYPE", "appointment.provider"),
    "provider without an id": (body(provider={"id": ""}), "EMPTY_TEXT", "appointment.provider.id"),
    "provider of padded id": (body(provider={"id": " dr"}), "PADDED_ID", "appointment.provider.id"),
    "clinic is a number": (body(clinic=7), "WRONG_TYPE", "appointment.clinic"),
    "no end": (body(end="later"), "BAD_TIME", "appointment.end"),
    "end is a number": (body(end=12), "WRONG_TYPE", "appointment.end"),
    "naive occurred_at": ({**body(), "occurred_at": "2027-03-12T10:00"}, "NAIVE_TIME", "occurred_at"),
    "a start that a cancellation needs not": (body(status="cancelled", start="?"), "BAD_TIME", "appointment.start"),
    "a number for it": (body(status="cancelled", start=0), "WRONG_TYPE", "appointment.start"),
}


@pytest.mark.parametrize("what", DETAILS)
def test_a_detail_that_cannot_be_kept_is_dropped_and_named(what: str) -> None:
    value, code, place = DETAILS[what]
    (order,) = parse(value)
    [warned] = order.warnings
    assert (warned.code, warned.place, warned.detail.partition(":")[0]) == ("DETAIL_DROPPED", place, code)
    assert order.appointment == "v1"


def test_several_details_are_dropped_at_once_and_the_rest_is_taken() -> None:
    (order,) = parse({**body(provider=3, end="?", service_type="Eye"), "reason": ""})
    assert (order.provider, order.ends_at, order.service_type, order.reason) == (UNSET, UNSET, "Eye", None)
    assert len(order.warnings) == 3


def test_a_field_that_an_event_has_not_is_named_with_the_one_that_may_be_meant() -> None:
    (order,) = parse({**body(strat="2027"), "reson": "x", "Ann Abara": 1})
    found = {(w.code, w.place): w.detail for w in order.warnings}
    assert set(found) == {("UNKNOWN_FIELD", f) for f in ("reson", "?", "appointment.strat")}
    assert found["UNKNOWN_FIELD", "appointment.strat"].endswith("did you mean start?")


def test_what_an_event_says_of_a_person_beside_his_id_is_named_as_no_field_of_it() -> None:
    (order,) = parse(body(patient={"id": "ann", "mobile": "020 7946 0018"}, provider={"id": "dr", "name": "Who"}))
    places = [(w.code, w.place) for w in order.warnings]
    assert places == [("UNKNOWN_FIELD", f"appointment.{one}") for one in ("patient.mobile", "provider.name")]


MISSPELT: dict[str, tuple[Any, tuple[str, str], dict[str, str]]] = {
    "a status": (
        {"event_id": "e", "appointment": {"id": "v", "statuss": "booked"}},
        ("MISSING_FIELD", "appointment.status"), {"appointment.statuss": "status"},
    ),
    "the appointment": ({"event_id": "e", "apointment": {"id": "v"}}, ("MISSING_FIELD", "appointment"),
                        {"apointment": "appointment"}),
    "an id, and something else": (
        {"eventId": "e", "reson": "x", "appointment": body()["appointment"]}, ("MISSING_FIELD", "event_id"),
        {"eventId": "event_id", "reson": "reason"},
    ),
    "whose it is": (body(patient={"ID": "ann"}), ("MISSING_FIELD", "appointment.patient.id"),
                    {"appointment.patient.ID": "id"}),
    "beside a time that is none": (body(start="?", sevice_type="Eye"), ("BAD_TIME", "appointment.start"),
                                   {"appointment.sevice_type": "service_type"}),
    "beside a start of another type": (body(start=0, Zone="Europe/London"), ("WRONG_TYPE", "appointment.start"),
                                       {"appointment.Zone": "zone"}),
    "beside a source that is another's": ({**body(), "source": "x", "ocurred_at": 1}, ("FOREIGN_SOURCE", "source"),
                                          {"ocurred_at": "occurred_at"}),
    "a batch": ({"evnts": [body()]}, ("MISSING_FIELD", "appointment"), {"evnts": "events"}),
    "nothing that is near": ({"hl7": "MSH"}, ("MISSING_FIELD", "appointment"), {"hl7": ""}),
    "no object": ("strat", ("WRONG_TYPE", ""), {}),
}  # fmt: skip


@pytest.mark.parametrize("what", MISSPELT)
def test_an_event_that_is_refused_names_what_it_misspelt(what: str) -> None:
    value, expected, named = MISSPELT[what]
    with pytest.raises(Refused) as caught:
        parse(value)
    assert (caught.value.code, caught.value.place) == expected
    assert {one.code for one in caught.value.also} <= {"UNKNOWN_FIELD"}
    assert {one.place: one.message.partition("did you mean ")[2].rstrip("?") for one in caught.value.also} == named


def test_each_event_of_a_batch_names_its_own() -> None:
    good, bad = body(strat=1), {**body(sttus=1), "apointment": 1}
    del bad["appointment"]["status"]
    taken, refused = parse([good, bad])
    assert [one.place for one in taken.warnings] == ["appointment.strat"]
    assert isinstance(refused, Refused)
    assert [one.place for one in refused.also] == ["apointment", "appointment.sttus"]


def test_a_client_of_several_sources_names_one() -> None:
    two = Client("both", ("a", "b"))
    with pytest.raises(Refused, match="SOURCE_REQUIRED"):
        parse(body(), Hints(two, NOW))
    assert parse(body(), Hints(two, NOW, source="a"))[0].source == "a"
    assert parse({**body(), "source": "b"}, Hints(two, NOW, source="a"))[0].source == "b"


def cut(value: Any) -> bytes:
    """Return the JSON in which what stands between < and > is an escape."""
    return orjson.dumps(value).replace(b"<", b"\\u").replace(b">", b"")


@pytest.mark.parametrize("odd", ["<d83d>", "<0000>"])
def test_what_is_no_character_spoils_the_text_it_stands_in_and_no_other(odd: str) -> None:
    whole = {**body(), "reason": f"sorry {odd}", "colour": odd}
    bad = body(id=f"v{odd}")
    good, refused, other = PlainJson().parse(cut([whole, bad, body()]), Hints(LOCAL, NOW)).commands
    assert isinstance(good, BookAppointment)
    assert good.reason is None
    assert sorted(one.place for one in good.warnings) == ["colour", "reason"]
    assert isinstance(refused, Refused)
    assert (refused.code, refused.place) == ("CONTROL_CHARACTER", "appointment.id")
    assert isinstance(other, BookAppointment)


@pytest.mark.parametrize("patient", [None, {}, {"id": None}])
def test_a_patient_of_whom_nothing_is_said_and_a_mode_that_is_null_are_not_told(patient: Any) -> None:
    (order,) = parse({**body(status="cancelled", patient=patient), "mode": None})
    assert (order.patient, order.mode.value, order.warnings) == (None, "live", ())
