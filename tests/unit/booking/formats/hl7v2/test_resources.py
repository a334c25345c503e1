"""Who and what a visit takes, by the resource groups of its message; what they take away is not its own (0059)."""

from dataclasses import replace
from typing import Any

import pytest

from booking.values.unset import UNSET
from tests.support.booking.builders import LOCAL
from tests.support.booking.hl7 import order, siu

RESOURCES: dict[str, tuple[bytes, dict[str, Any], dict[str, Any]]] = {
    "taken away alone": (siu(AIP="AIP|1|D|204^Who^Harriet"), {}, {"provider": None}),
    "taken away with its group": (siu(RGS="RGS|1|D", AIP="AIP|1||204^Who"), {}, {"provider": None}),
    "another instead": (
        siu("S18", RGS="", AIP="RGS|1|D\rAIP|1||204^Who\rRGS|2|A\rAIP|2||205^Jones^Ann"), {},
        {"provider": "205", "provider_name": "Ann Jones"},
    ),
    "taken away, though PV1 names him": (
        siu(PV1="PV1|1|O|||||204^Who", AIP="AIP|1|D|204^Who"), {}, {"provider": None}
    ),
    "the primary one": (
        siu(AIP="AIP|1|A|1^One|NURSE\rAIP|2|A|2^Two|1.1^Primary"), {}, {"provider": "2"}
    ),
    "two ids of one": (
        siu(AIP="AIP|1|A|P9^Who^^^^^^^PROVID~N7^Who^^^^^^^NPI"), {},
        {"provider": "PROVID|P9", "provider_names": ("NPI|N7",)},
    ),
    "a thing is no doctor": (siu(AIP="", AIG="AIG|1||5001^Colonoscope|101^Equipment"), {}, {"provider": UNSET}),
    "a doctor among the resources": (siu(AIP="", AIG="AIG|1||5^Who, Harriet|D^Doctor"), {}, {"provider": "5"}),
    "a kind of its own": (
        siu(AIP="", AIG="AIG|1||5^Who|ARZT"), {"hl7v2": {"provider": {"resource_kinds": ["Arzt"]}}}, {"provider": "5"}
    ),
    "PV1-7 where nobody else is named": (siu(AIP="", PV1="PV1|1|O|||||13^Jones"), {}, {"provider": "13"}),
    "a name without a number": (siu(AIP="AIP|||^Jones^Stuart^^^Dr"), {}, {"provider": "name|Dr Stuart Jones"}),
    "nobody is named": (siu(AIP=""), {}, {"provider": UNSET}),
    "a service that is taken away": (
        siu(AIS="AIS|1|D|X^X-ray"), {}, {"service_type": "Check-up"}
    ),
    "no service any more": (siu(SCH='SCH|P1|F1|||||""||||^^^20270312100000+0000'), {}, {"service_type": None}),
    "a service of its own field": (
        siu(after=["ZAP|Echo"]), {"hl7v2": {"extra": {"service_type": "ZAP-1"}}}, {"service_type": "Echo"}
    ),
    "places, best first": (
        siu(PV1="PV1|1|O|W1^^^WARD", AIL="AIL|1|A|R1^^^EYE"), {},
        {"clinic": None, "clinic_identifiers": (("AIL-3.4", "EYE"), ("PV1-3.4", "WARD"), ("AIL-3.1", "R1"))},
    ),
    "a place that the profile knows": (
        siu(AIL="AIL|1|A|R1^^^EYE"), {"hl7v2": {"clinics": {"R1": "CARDIO"}}}, {"clinic": "CARDIO"}
    ),
    "a place that is taken away": (siu(AIL="AIL|1|D|R1^^^EYE"), {}, {"clinic_identifiers": ()}),
    "who sent it, for a new visit alone": (
        siu(), {"hl7v2": {"clinics": {"EYE": "CARDIO"}}, "clinic": "ENT"},
        {"clinic": None, "clinic_otherwise": "CARDIO", "clinic_identifiers": ()},
    ),
    "the profile's clinic": (siu(), {"clinic": "ENT"}, {"clinic": None, "clinic_otherwise": "ENT"}),
}  # fmt: skip


@pytest.mark.parametrize("case", RESOURCES)
def test_whoever_and_whatever_was_taken_away_is_not_the_visits(case: str) -> None:
    body, profile, expected = RESOURCES[case]
    found = order(body, **profile)
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_clients_own_clinic_is_that_of_a_place_that_nobody_knows() -> None:
    client = replace(LOCAL, default_clinic="EYE")
    assert order(siu(AIL="AIL|1|A|R1"), client).clinic_otherwise == "EYE"
    assert order(siu(AIL="AIL|1|A|R1"), client, clinic="ENT").clinic_otherwise == "ENT"
