"""FHIR R4: booking messages (as NHS BaRS sends them) and single `Appointment` resources.

| file | what |
|---|---|
| `resources.py` | from JSON to checked R4 resources |
| `mapping.py` | from resources to commands, field by field (the table is in the service's README) |
| `format.py` | the two formats behind the port |
| `http.py` | the routes and their answers, refusals as OperationOutcome |
"""
