"""Lists of FHIR as senders write them: a list of one as the one alone, and with gaps in it."""

from typing import Any


def with_whole_lists(value: Any) -> None:
    """Make each `telecom` in a JSON value a list without gaps, in place: the parser refuses another as a whole."""
    if isinstance(value, list):
        for one in value:
            with_whole_lists(one)
    elif isinstance(value, dict):
        points = value.get("telecom")
        if isinstance(points, dict):
            value["telecom"] = [points]
        elif isinstance(points, list):
            value["telecom"] = [one for one in points if one is not None]
            if not value["telecom"]:
                del value["telecom"]
        for one in value.values():
            with_whole_lists(one)
