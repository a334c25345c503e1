"""`python -m booking.formats.contract [--check] FOLDER`: JSON Schema of our own events, as records' values."""

import sys

from booking.formats.clearances.plain import ClearanceEvent
from booking.formats.plain.contract import RecordBody
from schemas.export import Models, main

MODELS: Models = {"booking.event.v1": RecordBody, "clearance.event.v1": ClearanceEvent}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], MODELS))
