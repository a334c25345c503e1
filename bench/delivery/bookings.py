"""Bodies as an upstream sends them: the same mix as `load`, in its own words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from bench.delivery.running import CLINICS, PROVIDERS

FIRST_DAY = datetime(2030, 3, 4, 9, 0, tzinfo=UTC)
"""Far enough ahead that every visit is still to come."""


def booked(visit: str, patient: int, number: int) -> dict[str, object]:
    """Return a first booking, whole."""
    start = FIRST_DAY + timedelta(minutes=15 * (number % 2000))
    return {
        "event_id": f"{visit}-1",
        "sequence": 1,
        "appointment": {
            "id": visit,
            "status": "booked",
            "patient": {"id": f"p-{patient}"},
            "clinic": f"CL{patient % CLINICS:03d}",
            "provider": {"id": f"dr-{number % PROVIDERS}"},
            "service_type": "check-up",
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=30)).isoformat(),
        },
    }


def mixed(events: int, patients: int, name: str, seed: int = 3) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield (appointment id, body): 80 % booked, 10 % moved, 10 % cancelled; each names its patient and clinic.

    So a change that overtakes its booking, as between two batches at once, is taken too.
    """
    random, visits = Random(seed), list[list[int]]()
    for position in range(events):
        turn = position % 10
        if turn < 8:
            visits.append([position, 1, random.randrange(patients)])
            yield f"{name}{position}", booked(f"{name}{position}", visits[-1][2], position)
            continue
        visit = random.choice(visits)
        visit[1] += 1
        key, sequence = f"{name}{visit[0]}", visit[1]
        whose = {"patient": {"id": f"p-{visit[2]}"}, "clinic": f"CL{visit[2] % CLINICS:03d}"}
        change: dict[str, object] = {"id": key, "status": "booked" if turn == 8 else "cancelled", **whose}
        if turn == 8:
            start = FIRST_DAY + timedelta(days=sequence, minutes=15 * (visit[0] % 2000))
            change |= {"start": start.isoformat(), "end": (start + timedelta(minutes=30)).isoformat()}
        yield key, {"event_id": f"{key}-{sequence}", "sequence": sequence, "appointment": change}
