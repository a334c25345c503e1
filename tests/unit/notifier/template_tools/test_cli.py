"""`python -m notifier templates`: what the lint finds, and the page that shows all messages."""

from pathlib import Path

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from notifier.template_tools import html_check
from notifier.template_tools.cli import app
from notifier.template_tools.lint import lint
from notifier.wording.renderer import Templates
from notifier.wording.words import LANGUAGES
from schemas.notifications import Kind

RUN = CliRunner()


def folder_with(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return tmp_path


def test_the_built_in_messages_are_without_fault_and_without_warning() -> None:
    assert lint(Templates()) == []


GOOD = "Visit at {{ clinic }}: {{ date }} {{ time }}{% if zone %} ({{ zone }}){% endif %}"


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("en/reminder.text.txt.j2", GOOD + "{{ surname }}", "there is no word 'surname'"),
        ("en/reminder.text.txt.j2", GOOD + "{{ range(9) }}", "'range' is undefined"),
        ("en/reminder.text.txt.j2", GOOD + "{% if %}", "Expected an expression"),
        ("en/reminder.text.txt.j2", GOOD + "{{ name.upper.__self__ }}", "unsafe"),
        ("en/reminder.text.txt.j2", GOOD + '{% include "nowhere.j2" %}', "nowhere.j2"),
        ("en/reminder.text.txt.j2", GOOD + "{{ 1 // 0 }}", "ZeroDivisionError"),
        ("en/reminder.text.txt.j2", GOOD.replace("{{ time }}", ""), "the time is missing"),
        ("en/reminder.text.txt.j2", GOOD.replace("{{ date }}", ""), "the date is missing"),
        ("en/reminder.text.txt.j2", GOOD.replace("{{ zone }}", "there"), "the zone is missing"),
        ("en/reminder.text.txt.j2", GOOD.replace("{{ clinic }}", "us"), "the clinic is missing"),
        ("en/reminder.text.txt.j2", GOOD + "{{ {}.get('x') }}", "'None' comes out"),
        ("en/reminder.text.txt.j2", GOOD + "\u202e", "comes out"),
        ("en/reminder.text.txt.j2", GOOD + "{{ '{' }}{ name }}", "'{' comes out"),
        ("en/reminder.subject.txt.j2", "Your visit\n{{ date }}", "a subject is one line"),
        ("en/reminder.html.j2", f"<p>{GOOD}<b></p>", "<b> is still open at </p>"),
        ("en/reminder.html.j2", f"<p>{GOOD}", "<p> is never closed"),
        ("en/reminder.html.j2", f"<p>{GOOD}</p><script></script>", "<script> does not belong"),
        ("en/reminder.html.j2", f"<p onclick='x'>{GOOD}</p>", "onclick= does not belong"),
        ("en/reminder.html.j2", f"<p>{GOOD}</p><img src='https://x.example/p.gif'>", "fetches from elsewhere"),
        ("en/reminder.html.j2", f"<p>{GOOD}</p><a href='javascript:x'>x</a>", "neither https"),
        ("en/reminder.html.j2", f"<p>{GOOD}{{{{ name | safe }}}}<i></p>", "<i> is still open"),
        ("en/reminder.sms.txt.j2", GOOD.replace("date", "short_date"), "STOP is missing"),
        ("en/calendar.summary.txt.j2", "", "the entry says another thing"),
        ("en/reminders.text.txt.j2", GOOD, "no message uses it"),
        ("en/reminder.text.j2", GOOD, "no message uses it"),
        ("clinics/NORTH/en/reminder.text.txt.j2", GOOD + "{{ surname }}", "there is no word 'surname'"),
        ("tr/reminder.text.txt.j2", GOOD, "missing, so"),
    ],
)
def test_what_a_patient_could_read_wrongly_is_found_with_its_place(
    name: str, content: str, found: str, tmp_path: Path
) -> None:
    findings = lint(Templates(folder_with(tmp_path, name, content)), [Kind.REMINDER, Kind.CONFIRMATION])

    wrong = [finding for finding in findings if finding.serious and found in finding.what]
    assert wrong, findings
    assert wrong[0].place.startswith(name if found != "missing, so" else "tr/")


def test_the_lint_ends_with_1_and_says_where(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "nl/today.sms.txt.j2", "{{ name }}\n{% if %}")

    done = RUN.invoke(app, ["lint", "--folder", str(folder)])

    assert done.exit_code == 1
    assert "error  nl/today.sms.txt.j2:2: Expected an expression" in done.output
    assert "1 errors, 0 warnings" in done.output


def test_more_than_one_segment_is_a_warning_that_names_the_character(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        "en/reminder.sms.txt.j2",
        "☎ {{ clinic }}: {{ short_date }} {{ time }} ({{ short_zone }}) STOP, " + "a" * 60,
    )

    done = RUN.invoke(app, ["lint", "--folder", str(folder)])

    assert done.exit_code == 0
    assert "2 segments" in done.output
    assert "because of '☎'" in done.output
    assert "0 errors" in done.output


def test_an_installations_own_language_is_used_once_it_is_whole(tmp_path: Path) -> None:
    for kind in Kind:
        for part in ("subject.txt", "text.txt", "html", "sms.txt"):
            folder_with(tmp_path, f"tr/{kind.value}.{part}.j2", GOOD)
    assert Templates(tmp_path).languages("NORTH", "reminder") == LANGUAGES

    folder_with(tmp_path, "tr/calendar.summary.txt.j2", "Randevu")

    assert Templates(tmp_path).languages("NORTH", "reminder") == LANGUAGES | {"tr"}


def test_a_preview_of_all_is_a_page_with_every_message_side_by_side(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["preview", "--all", "--out", str(tmp_path)])

    assert done.exit_code == 0, done.output
    index = html_check.read(
        (tmp_path / "index.html").read_text().replace("<iframe", "<div").replace("</iframe", "</div")
    )
    assert [fault for fault in index.faults if "src=" not in fault and "href=" not in fault] == []
    for kind in ("confirmation", "moved", "cancelled", "reminder-today", "reminder-tomorrow", "today", "no-show"):
        for language in ("en", "de", "nl"):
            assert f"{kind}.{language}.html" in (tmp_path / "index.html").read_text()
            assert (tmp_path / f"{kind}.{language}.txt").read_text().startswith("Subject: ")
            assert (tmp_path / f"{kind}.{language}.sms.txt").is_file()
    for kind in ("confirmation", "moved", "cancelled"):
        assert Calendar.from_ical((tmp_path / f"{kind}.en.ics").read_bytes())
    assert "1 of GSM-7" in done.output


def test_d35_a_preview_of_a_sensitive_clinic_names_it_nowhere(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["preview", "--all", "--sensitive", "--language", "en", "--out", str(tmp_path)])

    assert done.exit_code == 0, done.output
    assert all("North Street" not in path.read_text() for path in tmp_path.iterdir())


def test_a_preview_of_one_kind_writes_that_kind(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["preview", "moved", "--language", "nl", "--out", str(tmp_path)])

    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "moved.nl.txt", "moved.nl.html", "moved.nl.sms.txt", "moved.nl.ics", "index.html",
        "moved-several.nl.txt", "moved-several.nl.html", "moved-several.nl.sms.txt", "moved-several.nl.ics",
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [["reminders"], [], ["moved", "--all"], ["moved", "--language", "tlh"]])
def test_what_there_is_not_cannot_be_looked_at(arguments: list[str], tmp_path: Path) -> None:
    assert RUN.invoke(app, ["preview", *arguments, "--out", str(tmp_path)]).exit_code == 2


def test_a_template_can_be_printed_to_begin_ones_own_with(tmp_path: Path) -> None:
    shown = RUN.invoke(app, ["source", "en/no-show.sms.txt.j2"]).output
    folder_with(tmp_path, "en/no-show.sms.txt.j2", shown)

    assert shown.startswith("{% if name %}{{ name }}, we{% else %}We{% endif %} missed you")
    assert not [one for one in lint(Templates(tmp_path), [Kind.NO_SHOW]) if one.serious]
    assert RUN.invoke(app, ["source", "en/nowhere.j2"]).exit_code == 2
