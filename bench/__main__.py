"""`python -m bench`: every benchmark, one after the other; `python -m bench NAME …`: one, with its options."""

import sys

from bench.delivery.__main__ import app as delivery
from bench.people import app as people
from bench.policies import app as policies
from bench.projector import app as projector
from bench.reminders.__main__ import app as reminders
from bench.sending.__main__ import app as sending
from bench.upstreams.__main__ import app as upstreams

ALL = {
    "delivery": delivery,
    "reminders": reminders,
    "sending": sending,
    "policies": policies,
    "people": people,
    "projector": projector,
    "upstreams": upstreams,
}


def main(words: list[str]) -> None:
    """Run the benchmark that the first word names with the other words as its options; all if there is no word."""
    if words[:1] == ["--help"]:
        print(__doc__, f"\nName one of {', '.join(ALL)}; `python -m bench NAME --help` prints its options.", sep="\n")
        return
    if words and words[0] not in ALL:
        sys.exit(f"no benchmark {words[0]!r}: give one of {', '.join(ALL)} and its options, or nothing for all")
    for name in words[:1] or ALL:
        ALL[name](words[1:], standalone_mode=False)


if __name__ == "__main__":
    main(sys.argv[1:])
