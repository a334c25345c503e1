"""What was done, by whom and when, can be added to and read, and nothing else (G9)."""

import re

import asyncpg
import pytest

from tests.support.examples import ROOT
from tests.support.installation import Installation

WHOLLY = [
    ("booking", "appointment_history", "version = 0"),
    ("booking", "check_in", "reason = 'x'"),
    ("booking", "check_in_refusal", "code = 'x'"),
    ("booking", "clearance_history", "result = 'stale'"),
    ("booking", "clearance_kind", "link = 'x'"),
    ("booking", "clearance_policy", "set_by = 'x'"),
    ("booking", "desk_change", "reason = 'x'"),
    ("booking", "partition_dropped", "about_rows = 0"),
    ("booking", "patient_merge", "reason = NULL"),
    ("booking", "reminder_policy", "set_by = 'x'"),
    ("booking", "reminder_rule", "version = 0"),
    ("booking", "safety_change", "flag = 'x'"),
    ("booking", "source_mode_change", "mode = 'observe'"),
    ("booking", "source_profile", "reason = 'x'"),
    ("booking", "source_restart", "reason = 'x'"),
    ("notifier", "preference_history", "changed_by = 'x'"),
    ("notifier", "sending_audit", "changed_by = 'x'"),
    ("notifier", "work_list_action", "acted_by = 'x'"),
    ("records", "sub_file_command", "reason = 'x'"),
]
ITS_FACTS = [("notifier", "opt_out_history", "stopped = false")]


@pytest.mark.parametrize(("service", "table", "change"), WHOLLY + ITS_FACTS)
async def test_a_record_of_what_was_done_is_changed_by_nobody(
    installation: Installation, service: str, table: str, change: str
) -> None:
    own = await asyncpg.connect(installation.service_url(service))
    admin = await asyncpg.connect(installation.admin_url)
    name = f"{service}.{table}"
    statements = (f"UPDATE {name} SET {change}", f"DELETE FROM {name}", f"TRUNCATE {name}")  # noqa: S608  # of this file

    for statement in statements:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RaiseError)) as refused:
            await own.execute(statement)
        if (service, table, change) in WHOLLY:
            assert refused.type is asyncpg.InsufficientPrivilegeError
        with pytest.raises((asyncpg.RaiseError, asyncpg.FeatureNotSupportedError)):
            await admin.execute(statement)
    await own.fetch(f"SELECT 1 FROM {name}")  # noqa: S608  # of this file
    await own.close()
    await admin.close()


CALLED = r"(?i:append only)[^\n]*\nCREATE TABLE (\w+)|COMMENT ON TABLE (\w+) IS[^;]*(?i:append only)"


def test_every_table_that_its_migration_calls_append_only_is_one_of_these() -> None:
    called = {
        (file.parts[-3], table)
        for file in (ROOT / "services").glob("*/src/*/migrations/*.sql")
        for found in re.findall(CALLED, file.read_text())
        for table in found
        if table
    }
    assert called <= {(service, table) for service, table, _ in WHOLLY + ITS_FACTS}
