"""A lean reading sees what its contract says, and accepts what its contract accepts."""

import orjson
import pytest

from schemas import lean_models
from schemas.catalogue import MODELS
from tests.support.examples import example

READINGS: dict[str, type[lean_models.Reading]] = {
    "appointment.changed.v1": lean_models.AppointmentReading,
    "patient.changed.v1": lean_models.PatientReading,
    "provider.changed.v1": lean_models.ProviderReading,
}


@pytest.mark.parametrize("event_type", READINGS)
def test_a_reading_has_the_values_of_the_contract(event_type: str) -> None:
    value = example(event_type)
    lean = READINGS[event_type].model_validate_json(value).model_dump(mode="json", exclude_none=True)
    assert lean.items() <= orjson.loads(value).items()


@pytest.mark.parametrize("event_type", READINGS)
def test_a_reading_names_only_fields_of_its_contract_and_requires_no_more(event_type: str) -> None:
    lean, whole = READINGS[event_type].model_fields, MODELS[event_type].model_fields
    assert lean.keys() <= whole.keys()
    assert {name for name, field in lean.items() if field.is_required()} <= {
        name for name, field in whole.items() if field.is_required()
    }


@pytest.mark.parametrize("event_type", READINGS)
def test_a_reading_skips_what_tomorrow_adds(event_type: str) -> None:
    tomorrow = orjson.dumps(orjson.loads(example(event_type)) | {"added_later": [1]})
    assert READINGS[event_type].model_validate_json(tomorrow) == READINGS[event_type].model_validate_json(
        example(event_type)
    )
