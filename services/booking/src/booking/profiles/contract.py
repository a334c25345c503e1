"""`python -m booking.profiles.contract [--check] FOLDER`: JSON Schema of a source's profile, for editors and others."""

import sys

from booking.profiles.domain import Profile
from schemas.export import Models, main

MODELS: Models = {"source.profile.v1": Profile}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], MODELS))
