"""What a patient's short answer means, and which visit it is about (D36, B11)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notifier.replies.domain.keywords import AMBIGUOUS, KEYWORDS
from notifier.replies.domain.reading import Meaning, PatientReply, plain, read
from notifier.replies.domain.visits import Messaged, Verdict, Why, resolve
from notifier.values.kinds import KINDS, Category
from schemas.appointments import Status
from schemas.notifications import Kind
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, PEPPERS, STARTS

OTHER = UUID("01890000-0000-7000-8000-000000000099")
(CODE,) = PEPPERS.codes(APPOINTMENT, 1)


def messaged(**changes: Any) -> Messaged:
    told = Messaged(APPOINTMENT, PATIENT, "NORTH", Status.BOOKED, STARTS, 1, 1, reachable=True, replies=True, codes=())
    codes = PEPPERS.codes(changes.get("appointment_id", APPOINTMENT), 1)
    return replace(told, **{"codes": codes, **changes})


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop. ", "STOPALL", "Stop all", "UNSUBSCRIBE", "END", "Quit!", "Revoke", "opt-out", "STOPP",
     "Abmelden", "AFMELDEN", "ARRÊT", "Arret", "\u200bSTOP\u200b", "\uff33\uff34\uff2f\uff30", '"stop"'],
)  # fmt: skip
def test_stop_and_its_kin_stop_in_every_language(text: str) -> None:
    assert read(text) == PatientReply(Meaning.STOP)


def test_a_bare_cancel_stops_and_is_looked_at_by_staff_and_cancels_no_visit() -> None:
    assert read("CANCEL") == PatientReply(Meaning.STOP, ambiguous=True)


@pytest.mark.parametrize(
    "text",
    [
        "STOP 7085",
        "stop7085",
        "7085 stop",
        "STOP \U0001f6d1",
        "stop please",
        "Please stop",
        "Stop!!!",
        "stop?",
        "STOP STOP STOP",
        "STOP\n\nSent from my iPhone",
        "Stopp\n-- \nAnna",
        "stop it",
        "stop texting me",
        "STOP ALL 7085",
        "hi, stop please",
        "Bitte stopp",
        "ARR\u00caT SVP",
        "baja por favor",
        "Parar, gracias",
        "pare",
        "disiscrivimi",
        "basta",
        "wy\u0142\u0105cz",
        "\u0625\u064a\u0642\u0627\u0641",
        "\u0642\u0650\u0641 \u0645\u0646 \u0641\u0636\u0644\u0643",
        "acha tafadhali",
        "AFMELDEN aub",
        "STOP \u0667\u0660\u0668\u0665",
        "Stoppppp",
        "STOP!!!!!!! STOP",
    ],
)
def test_decoration_takes_nothing_from_a_stop(text: str) -> None:
    assert read(text) == PatientReply(Meaning.STOP)


@pytest.mark.parametrize(
    "text",
    [
        "Stop. I have moved to Leeds",
        "stop sending me to dr who",
        "STOP\nI moved to Leeds",
        "unsubscribe me from all of it",
        "Stop my appointment",
        "Stopp die Termine",
        "STOP no more messages",
        "Hello\nSTOP",
        "I moved away.\nPlease stop.\nAnna",
        "Stop not interested",
        "STOP not my number",
        "stop at once",
        "Stop for good",
        "Stop in future please",
        "stop no quiero mas",
        "Stop no me interesa",
        "stop nicht mehr schreiben",
        "stop pas int\u00e9ress\u00e9",
        "stop \u00e0 vos messages",
        "reply stop",
        "Reply STOP to opt out",
        "ok stop",
        "no, stop",
        "I want to unsubscribe",
        "Je veux me d\u00e9sabonner",
        "ich m\u00f6chte mich nicht. Abmelden!",
    ],
)
def test_who_begins_with_stop_is_stopped_and_staff_read_the_rest(text: str) -> None:
    assert read(text) == PatientReply(Meaning.STOP, said_more=True)


@pytest.mark.parametrize(
    "text",
    [
        "don't stop my reminders",
        "Stop by at 5?",
        "I will stop by at 9",
        "stopp nicht",
        "stop niet",
        "can you stop by at 9",
        "stop at 5?",
        "arr\u00eat de travail",
        "acha nije kesho",
        "\u062a\u0648\u0642\u0641 \u0642\u0644\u0628\u0647",
        "dar de baja mi cita",
        "the bus stop is closed",
        "please don't stop",
        "ne pas arr\u00eater",
        "no stop",
        "end of the week",
        "quit smoking last year",
        "cancel my appointment",
        "baja la hora",
        "para manana",
        "nonstop",
        "",
        "\U0001f44d",
        "c?d",
        "help me, my leg hurts",
        "START\nbut not at night",
        "Yes\nbut later",
    ],
)
def test_a_sentence_is_for_staff(text: str) -> None:
    assert read(text).meaning is Meaning.OTHER


@pytest.mark.parametrize(
    "text", ["X 1234", "x1234", "X 1234 please", "X 1234, thanks!", "Please X 1234", "cancel 1234"]
)
def test_a_code_is_read_with_what_is_polite_around_it(text: str) -> None:
    assert read(text) == PatientReply(Meaning.CANCEL, "1234")


@pytest.mark.parametrize(("text", "code"), [("C 1234 thank you", "1234"), ("Yes please", None), ("c", None)])
def test_so_is_a_confirmation(text: str, code: str | None) -> None:
    assert read(text) == PatientReply(Meaning.CONFIRM, code)


@pytest.mark.parametrize("text", ["cancel please", "Cancel!", "CANCEL\nSent from my phone"])
def test_a_decorated_cancel_stops_as_a_bare_one_does(text: str) -> None:
    assert read(text) == PatientReply(Meaning.STOP, ambiguous=True)


@pytest.mark.parametrize("text", ["HELP", "help!", "INFO", "Hilfe bitte", "aide", "ayuda", "pomoc", "msaada",
                                  "\u0645\u0633\u0627\u0639\u062f\u0629", "Who is this?"])  # fmt: skip
def test_help_asks_who_we_are(text: str) -> None:
    assert read(text) == PatientReply(Meaning.HELP)


def test_no_word_of_any_language_means_two_things_but_those_that_staff_look_at() -> None:
    meanings = dict[str, set[str]]()
    for words in KEYWORDS.values():
        for name in ("stop", "stop_alone", "start", "help", "confirm", "cancel", "polite"):
            for word in getattr(words, name).split(","):
                meanings.setdefault(plain(word), set()).add(name.removesuffix("_alone"))

    assert {word for word, names in meanings.items() if len(names) > 1} == AMBIGUOUS


@pytest.mark.parametrize(
    "text", ["START", "unstop", "Anmelden", "START \U0001f642", "start please", "Alta", "START\nSent from my iPhone"]
)
def test_start_takes_it_back(text: str) -> None:
    assert read(text).meaning is Meaning.START


@pytest.mark.parametrize(("text", "code"), [("C", None), ("yes", None), ("Ja!", None), ("C 4711", "4711"),
                                            ("c4711", "4711"), ("Y #4711", "4711")])  # fmt: skip
def test_confirming(text: str, code: str | None) -> None:
    assert read(text) == PatientReply(Meaning.CONFIRM, code)


@pytest.mark.parametrize(("text", "code"), [("X", None), ("x 4711", "4711"), ("X4711.", "4711"),
                                            ("cancel 4711", "4711"), ("Absagen 4711", "4711")])  # fmt: skip
def test_cancelling(text: str, code: str | None) -> None:
    assert read(text) == PatientReply(Meaning.CANCEL, code)


def test_what_the_carrier_has_acted_on_is_acted_on_here_whatever_the_words_say() -> None:
    assert read("yes", Meaning.START) == PatientReply(Meaning.START)
    assert read("basta", Meaning.STOP) == PatientReply(Meaning.STOP)


def test_a_long_text_is_read_in_no_time_and_is_for_staff() -> None:
    assert read("x" * 1_000_000 + " 4711").meaning is Meaning.OTHER


def test_the_only_visit_ahead_is_confirmed_without_a_code() -> None:
    past = messaged(appointment_id=OTHER, starts_at=NOW - timedelta(hours=1))

    assert resolve(PatientReply(Meaning.CONFIRM), [past, messaged()], NOW) == Verdict(messaged())


def test_of_two_visits_ahead_the_code_names_one() -> None:
    both = [messaged(), messaged(appointment_id=OTHER)]

    assert resolve(PatientReply(Meaning.CONFIRM), both, NOW) == Verdict(why=Why.SEVERAL_VISITS)
    assert resolve(PatientReply(Meaning.CONFIRM, CODE), both, NOW) == Verdict(messaged())


def test_a_visit_is_cancelled_by_its_code_alone() -> None:
    assert resolve(PatientReply(Meaning.CANCEL), [messaged()], NOW) == Verdict(messaged(), Why.NO_CODE)
    both = [messaged(), messaged(appointment_id=OTHER)]
    assert resolve(PatientReply(Meaning.CANCEL), both, NOW) == Verdict(why=Why.NO_CODE)
    assert (
        resolve(PatientReply(Meaning.CANCEL, f"{(int(CODE) + 1) % 10_000:04d}"), [messaged()], NOW).why
        is Why.WRONG_CODE
    )
    assert resolve(PatientReply(Meaning.CANCEL, CODE), [messaged()], NOW) == Verdict(messaged())


@pytest.mark.parametrize(
    "changes",
    [{"status": Status.CANCELLED}, {"status": Status.ARRIVED}, {"starts_at": NOW}, {"starts_at": None},
     {"schedule_gen": 2}, {"reachable": False}],
)  # fmt: skip
@pytest.mark.parametrize("answer", [PatientReply(Meaning.CONFIRM), PatientReply(Meaning.CANCEL, CODE)])
def test_a_visit_that_is_over_moved_or_whose_patient_has_another_number_is_for_staff(
    changes: dict[str, Any], answer: PatientReply
) -> None:
    assert resolve(answer, [messaged(**changes)], NOW) == Verdict(why=Why.NO_VISIT)


def test_at_a_clinic_that_wants_no_machine_to_act_it_is_for_staff() -> None:
    off = messaged(replies=False)

    assert resolve(PatientReply(Meaning.CONFIRM), [off], NOW) == Verdict(off, Why.REPLIES_OFF)
    assert resolve(PatientReply(Meaning.CANCEL, CODE), [off], NOW) == Verdict(off, Why.REPLIES_OFF)


def test_the_code_is_four_digits_and_another_one_after_a_move() -> None:
    assert len(CODE) == 4
    assert CODE.isdecimal()
    assert PEPPERS.codes(APPOINTMENT, 2) != (CODE,)


def test_every_kind_to_a_patient_has_a_category_and_those_to_providers_none() -> None:
    assert {kind for kind in Kind if KINDS[kind].category is None} == {
        k for k in Kind if k.value.startswith("provider")
    }
    assert KINDS[Kind.REMINDER].category is Category.REMINDERS
