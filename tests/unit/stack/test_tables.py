"""Every table of `attend` at 60 and 80 characters and in a pipe: ids, codes, reasons and file numbers are whole."""

import io
import re
from collections.abc import Iterable
from typing import Any

import pytest
from rich.console import Console, RenderableType

from chassis.delivery.dead_letter import DeadLetter
from chassis.delivery.dead_letters_cli import table_of
from chassis.process.terminal import PIPED, show_all
from stack.commands import look, policy_view, sending_modes, sub_files, visit_flags, why_view, work_list
from stack.demo import view as demo_view
from stack.demo.comparison import Row
from stack.process import ProcessId
from stack.state import PartState, State
from stack.view import parts_table
from tests.support.examples import ROOT
from tests.unit.stack.test_policy_view import told as told_of_policy

ID = "01a20fc8-df9c-7286-8b96-1f46c6059e45"
FILE = "FILE-2027-000001-A_CLINIC_WITH_A_LONG_CODE-01"
CLINIC = "A_CLINIC_WITH_A_LONG_CODE"
REASON = "APPOINTMENT_CANCELLED"
AT = "2027-03-01T09:00:00Z"
MESSAGE: dict[str, Any] = {
    "notification_id": ID, "clinic_id": CLINIC, "patient_name": "Ada Abara", "kind": "provider-cancelled",
    "channel": "whatsapp", "state": "failed", "reason": REASON, "code": "HTTP_400_21211", "starts_at": AT,
    "zone": "America/Argentina/Buenos_Aires", "actions": ["settle", "resend", "drop"],
}  # fmt: skip
REPLY: dict[str, Any] = {
    "reply_id": ID[::-1], "received_at": AT, "clinic_id": CLINIC, "text": "I cannot come, call me",
    "why": "SEVERAL_VISITS_FIT",
}  # fmt: skip
LIST = {"items": [MESSAGE], "replies": [REPLY], "next_after": None}
FLAG: dict[str, Any] = {
    "flag_id": 1_234_567, "code": "ILLEGAL_TRANSITION", "meaning": "Upstream reported a step.", "appointment_id": ID,
    "clinic_id": CLINIC, "status": "entered-in-error", "starts_at": AT, "zone": "Europe/London", "done_at": AT,
    "done_by": "somebody.with.a.long.name@clinic.example", "note": "[red]",
}  # fmt: skip
QUALITY: dict[str, Any] = {
    "items": [{"patient_name": None, "patient_id": ID, "starts_at": AT, "zone": "Europe/London", "clinic_id": CLINIC,
               "reason": "UNKNOWN_PATIENT", "reason_text": "the patient was never registered",
               "channels": [{"channel": "whatsapp", "reason": "CHANNELS_DISABLED"}]}],
    "looked_at": 1, "next_after": None,
}  # fmt: skip
SENDING: dict[str, Any] = {
    "mode": "allow-list", "version": 3, "changed_by": "somebody.with.a.long.name@clinic.example", "changed_at": AT,
    "queued": [{"clinic_id": CLINIC, "mode": "allow-list", "own_mode": None, "queued": 1_234_567, "due": 7}],
    "changes": [{"changed_at": AT, "changed_by": "somebody.with.a.long.name@clinic.example", "clinic_id": CLINIC,
                 "before": {"mode": "hold"}, "after": {"mode": "allow-list", "channel_windows": {}}}],
}  # fmt: skip
TIMELINE: dict[str, Any] = {
    "appointment_id": ID, "source": "https://clinics.example/appointment", "source_id": "R-4711", "status": "booked",
    "zone": "America/Argentina/Buenos_Aires", "missing": [{"service": "records", "code": "NOT_CONFIGURED"}],
    "answer": {"got": [], "may_have_got": [], "to_come": [], "did_not_get": [], "text": f"Not sent: {REASON}."},
    "entries": [{"at": AT, "source": "notifier", "what": "message.skipped", "reason": REASON, "caused_by": "e",
                 "ids": {}, "text": f"sub-file {FILE} is ACTIVE"}],
}  # fmt: skip
FILES = {
    "items": [{"sub_file_id": ID, "number": FILE, "status": "ACTIVE", "provider_id": ID[::-1], "version": 12}],
    "next_after": None,
}
URL = "http://127.0.0.1:18126"
ROWS = [
    {"part": "reminders-projector", **dict.fromkeys(look.COLUMNS, 1_234_567), "state": "another answers",
     "url": URL, "operations_url": URL},
]  # fmt: skip
PARTS = State(
    ProcessId(1, 1.0),
    "ready",
    seconds=1.0,
    parts=(
        PartState(
            "reminders-projector",
            "downloading",
            URL,
            URL,
            process=ProcessId(123_456, 1.0),
            detail="kafka_2.13-4.1.1.tgz",
        ),
    ),
)
LETTER = DeadLetter(
    "a-long-prefix.reminders-worker-timers-changelog", 11, 123_456_789, b"", b"", (), "UNKNOWN_VERSION", "not known"
)
POLICY = told_of_policy("Ultrasound_of_the_abdomen")
VERDICT = demo_view.verdict([Row("told: moved accepted whatsapp", 1_234, 1_234, 0, 0)], ["e-1: refused"])

TABLES: dict[str, tuple[Iterable[RenderableType], list[str]]] = {
    "attend status": ([look.states(ROWS), look.addresses(ROWS)], ["reminders-projector", URL, "another"]),
    "attend up": ([parts_table(PARTS)], ["reminders-projector", "downloading", URL, "kafka_2.13-4.1.1.tgz"]),
    "attend work-list": (
        work_list.waiting(LIST, None, None, None, ahead=False),
        [ID[:13], CLINIC, REASON, "HTTP_400_21211", "provider-cancelled", "SEVERAL_VISITS_FIT", ID[::-1]],
    ),
    "attend work-list contacts": (
        work_list.unreachable(QUALITY, None, None, 100), [ID, CLINIC, "UNKNOWN_PATIENT", "CHANNELS_DISABLED"],
    ),
    "attend work-list visits": (
        visit_flags.flags([FLAG], None, None, "all"), [ID, CLINIC, "1234567", "ILLEGAL_TRANSITION", "[red]"],
    ),
    "attend sending show": (sending_modes.installation(SENDING), [CLINIC, "allow-list", "1,234,567"]),
    "attend sub-files list": (sub_files.parts(FILES, sub_files.LISTED), [ID, FILE, "ACTIVE", ID[::-1]]),
    "attend why": (why_view.timeline(TIMELINE, 60), [ID, FILE, REASON, "NOT_CONFIGURED"]),
    "attend policy show": (policy_view.policy(POLICY), ["Ultrasound_of_the_abdomen", "72h", "[/desk]"]),
    "attend policy plan": (policy_view.plan(POLICY), ["Ultrasound_of_the_abdomen"]),
    "attend policy set": (policy_view.set_(POLICY), ["Ultrasound_of_the_abdomen"]),
    "attend dead-letters list": (
        [table_of([LETTER])], ["a-long-prefix.reminders-worker", "UNKNOWN_VERSION"],
    ),
    "attend demo": (VERDICT.renderables, ["whatsapp", "agrees"]),
}  # fmt: skip


def printed(parts: Iterable[RenderableType], width: int) -> str:
    out = io.StringIO()
    show_all(Console(file=out, width=width, force_terminal=False), parts)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, PIPED])
@pytest.mark.parametrize("name", TABLES)
def test_nothing_that_somebody_may_copy_is_cut(name: str, width: int) -> None:
    parts, words = TABLES[name]

    shown = printed(parts, width)

    assert [word for word in words if word not in shown] == [], shown
    assert "…" not in shown.replace("kafka_2.13-4.1.1.tgz", "")
    assert max(map(len, shown.splitlines())) <= width


SHOWN_BY_ITSELF = re.compile(r"(?:console|Console\(\)|out|where)\.print\((?:\w+\.)*\w*table\w*[,()]")


def test_every_table_is_shown_so_that_it_fits() -> None:
    makers = [
        file
        for part in ("chassis", "stack", "services")
        for file in (ROOT / part).rglob("src/**/*.py")
        if re.search("^from rich.table import", file.read_text(), re.MULTILINE)
    ]
    assert len(makers) >= 10
    assert [str(file.relative_to(ROOT)) for file in makers if SHOWN_BY_ITSELF.search(file.read_text())] == []


@pytest.mark.parametrize(
    ("given", "first"),
    [
        (({"items": [], "replies": []}, None, None, None), "No message waits for anybody."),
        (({"items": [], "replies": []}, "EYE", None, None), "No message at EYE waits for anybody."),
        (({"items": [], "replies": []}, None, "REFUSED", "failed"),
         "No message that is failed with the reason REFUSED waits for anybody."),
        (({"items": [], "replies": [REPLY]}, None, None, None), "No message waits; patients' answers do."),
        (({"items": [], "replies": [REPLY]}, "EYE", None, None), "No message at EYE waits; patients' answers do."),
    ],
)  # fmt: skip
def test_b12_an_empty_list_says_of_what_and_never_that_nothing_waits_above_an_answer(given: Any, first: str) -> None:
    assert printed(work_list.waiting(*given, ahead=False), 100).splitlines()[0] == first


@pytest.mark.parametrize(
    ("clinic", "reason", "said"),
    [
        (None, None, "Everybody can be reached: 7 patients with visits ahead."),
        ("EYE", None, "Everybody can be reached: 7 patients with visits ahead at EYE."),
        (None, "REFUSED", "None of 7 patients with visits ahead is out of reach for the reason REFUSED; "
                          "for another perhaps."),
    ],
)  # fmt: skip
def test_b12_everybody_can_be_reached_is_said_of_everybody_alone(
    clinic: str | None, reason: str | None, said: str
) -> None:
    told = {"items": [], "looked_at": 7, "next_after": None}

    assert printed(work_list.unreachable(told, clinic, reason, 100), 100) == f"{said}\n"


def test_d13_a_policy_without_rules_says_so() -> None:
    assert "No reminders are sent." in printed(policy_view.policy({**POLICY, "rules": [], "changes": []}), 80)
