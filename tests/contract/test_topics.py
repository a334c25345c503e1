"""Topics are contracts too: another name, key or count would send keys elsewhere or lose history."""

from datetime import timedelta

import pytest

from schemas import topics

PINNED = {
    "appointments": ("booking", "appointment_id", 12),
    "patients": ("booking", "patient_id", 1),
    "providers": ("booking", "provider_id", 1),
    "clinics": ("booking", "clinic_id", 1),
    "clearances": ("booking", "appointment_id", 12),
    "subfiles": ("records", "sub_file_id", 12),
    "reminders": ("reminders", "appointment_id", 12),
    "notifications": ("notifier", "appointment_id", 12),
    "bookings-inbound": ("upstream", "source appointment id", 12),
    "clearances-inbound": ("upstream", "source appointment id", 12),
    "patient-replies": ("notifier", "appointment_id", 12),
    "reminders-worker-timers-changelog": ("reminders", "appointment_id", 12),
    "reminders-replays": ("reminders", "appointment_id", 12),
}


def test_each_topic_keeps_its_writer_its_key_and_its_partitions() -> None:
    assert {topic.name: (topic.owner, topic.key, topic.partitions) for topic in topics.ALL} == PINNED


def test_the_history_of_appointments_is_never_deleted_and_never_compacted() -> None:
    assert (topics.APPOINTMENTS.retention, topics.APPOINTMENTS.cleanup) == (None, "delete")


def test_reference_topics_are_compacted_so_that_a_tombstone_erases_a_person() -> None:
    for topic in (topics.PATIENTS, topics.PROVIDERS, topics.CLINICS):
        assert (topic.cleanup, topic.retention) == ("compact", None)


def test_what_followed_is_kept_for_more_than_a_year_and_what_came_in_or_in_again_for_a_week() -> None:
    kept = {topic.name: topic.retention for topic in topics.ALL if topic.retention}
    year = timedelta(days=400)
    assert kept == {
        "clearances": year,
        "subfiles": year,
        "reminders": year,
        "notifications": year,
        "bookings-inbound": timedelta(days=7),
        "clearances-inbound": timedelta(days=7),
        "patient-replies": timedelta(days=7),
        "reminders-replays": timedelta(days=7),
    }


def test_the_timers_changelog_is_on_the_same_partitions_as_its_source_and_really_compacted() -> None:
    changelog = topics.TIMERS_CHANGELOG
    assert changelog.partitions == topics.APPOINTMENTS.partitions
    assert changelog.cleanup == "compact"
    assert int(changelog.settings["segment.ms"]) == timedelta(hours=1) / timedelta(milliseconds=1)


def test_a_further_inbound_topic_is_declared_as_the_first_is() -> None:
    further = topics.inbound("bookings-inbound-pas")
    assert (further.name, further.owner, further.key) == ("bookings-inbound-pas", "upstream", "source appointment id")
    assert (further.partitions, further.retention) == (12, timedelta(days=7))
    assert topics.inbound(topics.BOOKINGS_INBOUND.name) == topics.BOOKINGS_INBOUND


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a b", "x" * 201, "a/b", "ä", "appointments", "patient-replies", "a\n"]
)
def test_a_topic_of_our_own_or_one_that_cannot_be_is_no_inbound_topic(name: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        topics.inbound(name)
