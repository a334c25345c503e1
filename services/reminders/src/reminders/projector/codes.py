"""Every code by which reminders refuses, each with what it means; those of every API are in `chassis.api.codes`."""

CODES = {
    "NO_FILTER": "Give at least one of appointment or id with its source, patient, clinic.",
    "SOURCE_REQUIRED": "Several sources are possible: name one as `source`.",
    "BAD_RANGE": "`to` must be later than `from`.",
    "RANGE_TOO_LONG": "More counts than one answer holds: take a larger step.",
    "UNKNOWN_ZONE": "`zone` must be an IANA zone, such as Europe/London.",
}
