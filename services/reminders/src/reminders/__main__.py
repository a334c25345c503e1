"""`python -m reminders`: run a role, migrate the schema, look after dead letters."""

import asyncio
from collections.abc import Awaitable, Callable

from chassis.cli import openapi_command, service_cli
from chassis.process.lifecycle import main, run
from chassis.process.metrics import Metrics
from chassis.time_slots.metrics import SlotMetrics
from reminders.planning.metrics import engine_reports, show_recovery
from reminders.reconciler.job import ReconcilerJob
from reminders.retention import jobs
from reminders.settings import SERVICE, Settings
from reminders.wiring import replayable, run_api, run_projector, run_worker, unplugged, worker_positions


def _role(
    name: str, main: Callable[[Settings, asyncio.Event], Awaitable[None]], purpose: str
) -> Callable[[Settings], None]:
    def serve(settings: Settings) -> None:
        run(name, settings, lambda stop: main(settings, stop))

    serve.__doc__ = purpose
    return serve


def _counts(metrics: Metrics) -> None:
    show_recovery(metrics, lambda: None)
    engine_reports(metrics, "")
    ReconcilerJob(None, lambda: True, metrics, 1)
    SlotMetrics(metrics)


app = service_cli(
    SERVICE,
    SERVICE,
    Settings,
    {
        "worker": _role("reminders-worker", run_worker, "Plan reminders and hand them over when they are due."),
        "projector": _role("reminders-projector", run_projector, "Keep the reminder records."),
        "api": _role("reminders-api", run_api, "Answer questions about reminders."),
    },
    replayable,
    jobs,
    worker_positions,
    _counts,
)

app.command("openapi")(openapi_command(unplugged))

if __name__ == "__main__":
    main(app)
