"""B1: `attend why PATIENT` lists his visits, newest first, each with what he got; a word that is both says so."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner, Result

from chassis.process.errors import AttendError
from stack.__main__ import app

OLD, NEW = "01a20fc8-df9c-7286-8b96-1f46c6059e45", "01a20fc8-df9c-7286-8b96-1f46c6059e46"
ADA = "01a10000-0000-7000-8000-000000000001"
FILE = "FILE-2027-000017"


def visit(number: str, day: int) -> dict[str, Any]:
    at = f"2027-03-{day:02}T10:00:00"
    return {"appointment_id": number, "starts_local": at, "starts_at": None, "clinic_id": "EYE",
            "status": "booked", "patient_name": "Ada [red]Abara", "patient_id": ADA}  # fmt: skip


def timeline(number: str, **answer: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"got": [], "may_have_got": [], "to_come": [], "will_not_get": [], "did_not_get": []}
    return {"appointment_id": number, "source": "local", "source_id": "v", "status": "booked", "zone": "Europe/London",
            "entries": [], "missing": [], "answer": {**nothing, "held": None, "text": "All.", **answer}}  # fmt: skip


class Services:
    """Booking and the notifier in one stand-in: (path, query) → answer; all else is unknown."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, tuple[tuple[str, str], ...]], Any] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that the library calls
                where = urlsplit(self.path)
                asked = {name: value for name, value in parse_qsl(where.query) if name != "limit"}
                outer.asked.append(self.path)
                is_patient = "patient" in asked or where.path.startswith("/v1/patients/")
                code = "UNKNOWN_PATIENT" if is_patient else "UNKNOWN_APPOINTMENT"
                found = outer.answers.get((where.path, tuple(sorted(asked.items()))))
                body = json.dumps({"code": code, "detail": "nobody"} if found is None else found).encode()
                self.send_response(404 if found is None else 200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def know(self, path: str, answer: Any, **query: str) -> None:
        """Answer so from now on."""
        self.answers[path, tuple(sorted(query.items()))] = answer

    def know_ada(self, **named: str) -> None:
        """Answer with her two visits, told soonest first as booking does, on two pages."""
        first, second = ([visit(OLD, 12)], [visit(NEW, 20)])
        self.know("/v1/appointments", {"items": first, "next_after": "more"}, **named)
        self.know("/v1/appointments", {"items": second, "next_after": None}, after="more", **named)
        got = "confirmation by email at 2027-03-01 09:00, delivered"
        self.know(
            f"/v1/appointments/{OLD}/timeline", timeline(OLD, got=[got], to_come=["reminder 24h at 2027-03-11 10:00"])
        )
        self.know(f"/v1/appointments/{NEW}/timeline", timeline(NEW, did_not_get=["confirmation (opted out)"]))


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    made = Services()
    for name in ("BOOKING", "NOTIFIER"):
        monkeypatch.setenv(f"ATTEND_{name}_URL", f"http://127.0.0.1:{made.server.server_port}")
    monkeypatch.setenv("ATTEND_OPERATOR_KEY", "any")
    monkeypatch.setenv("COLUMNS", "160")
    yield made
    made.server.shutdown()
    made.server.server_close()


def why(*words: str) -> Result:
    return CliRunner().invoke(app, ["why", *words])


NAMES: dict[str, tuple[str, dict[str, str]]] = {
    "our id": (ADA, {"patient": ADA}),
    "the source's id": ("local:p-1", {"patient": "p-1", "source": "local"}),
    "a source's id with a colon in it": ("emr:urn:p:1", {"patient": "urn:p:1", "source": "emr"}),
    "the main file's number": (FILE, {"patient": ADA}),
    "a sub-file's number, in small letters": (f"{FILE}-EYE-01".lower(), {"patient": ADA}),
}


@pytest.mark.parametrize(("word", "named"), NAMES.values(), ids=NAMES)
def test_a_patients_visits_are_listed_newest_first_each_with_what_he_got(
    services: Services, word: str, named: dict[str, str]
) -> None:
    services.know_ada(**named)
    services.know(f"/v1/patients/{FILE}", {"patient_id": ADA})

    done = why(word)

    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["Patient", word, "(Ada", "[red]Abara),", "2", "visits"]
    assert [line[0] for line in lines[2:4]] == [NEW, OLD]
    assert "2027-03-20 10:00  EYE" in done.stdout
    assert "not sent: confirmation\n" in "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"
    assert "got: confirmation by email; to come: reminder 24h" in done.stdout


def test_its_json_has_the_visits_with_the_whole_answers(services: Services) -> None:
    services.know_ada(patient=ADA)

    told = json.loads(why(ADA, "--json", "--limit", "1").stdout)

    assert [item["appointment_id"] for item in told["items"]] == [NEW]
    assert (told["of"], told["items"][0]["answer"]["did_not_get"]) == (2, ["confirmation (opted out)"])


def test_of_many_the_newest_are_shown_and_how_many_there_are(services: Services) -> None:
    services.know_ada(patient=ADA)

    said = why(ADA, "--limit", "1").stdout

    assert (NEW in said, OLD in said) == (True, False)
    assert "The newest 1 of 2 visits: --limit shows more." in said


def test_who_has_no_visit_is_said_to_be_a_patient_all_the_same(services: Services) -> None:
    services.know("/v1/appointments", {"items": [], "next_after": None}, patient="p-1", source="local")

    assert why("local:p-1").stdout == "local:p-1 is a patient, and has no visit.\n"


def test_a_word_that_names_a_visit_and_a_patient_tells_the_visit_and_says_so(services: Services) -> None:
    services.know_ada(patient="17", source="local")
    services.know("/v1/appointments", {"appointment_id": OLD}, id="17", source="local")

    done = why("local:17")

    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "All.")
    assert "local:17 is a patient too" in done.stderr


@pytest.mark.parametrize("word", [ADA, "local:nobody", FILE, f"{FILE}-EYE-01"])
def test_who_is_neither_is_said_to_be_unknown(services: Services, word: str) -> None:
    done = why(word)

    assert done.exit_code == 1
    assert isinstance(done.exception, AttendError)
    assert done.exception.code in {"UNKNOWN_APPOINTMENT", "UNKNOWN_PATIENT"}


def test_a_visit_whose_id_is_known_is_told_without_asking_for_patients(services: Services) -> None:
    services.know(f"/v1/appointments/{OLD}/timeline", timeline(OLD))

    assert why(OLD).exit_code == 0
    assert services.asked == [f"/v1/appointments/{OLD}/timeline"]
