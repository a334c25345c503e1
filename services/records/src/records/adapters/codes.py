"""Every code by which records refuses, each with what it means; those of every API are in `chassis.api.codes`."""

CODES = {
    "NO_FILTER": "Give at least one of patient, appointment or id with its source, clinic, status.",
    "SOURCE_REQUIRED": "Several sources are possible: name one as `source`.",
    "UNKNOWN_SUB_FILE": "There is no sub-file of this id: GET /v1/subfiles finds it.",
    "UNKNOWN_PROVIDER": "Booking knows of no provider of this id.",
    "SUB_FILE_PARKED": "The sub-file waits for its patient's main file.",
    "SUB_FILE_REPLACED": "A later sub-file took this one's place.",
    "SUB_FILE_CLOSED": "The sub-file is closed: open it again first.",
}
