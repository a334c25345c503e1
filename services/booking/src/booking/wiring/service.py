"""The parts of one process, put together, and how they run."""

import asyncio
from dataclasses import dataclass

from fastapi import FastAPI

from booking.profiles.current import CurrentProfiles
from booking.reissues.job import Reissuer
from booking.settings import Settings
from chassis.api.operations import listeners
from chassis.delivery import high_water
from chassis.delivery.consumer import BatchConsumer
from chassis.outbox.relay import Relay
from chassis.postgres.clock_check import DatabaseClockCheck
from chassis.postgres.database import Pool
from chassis.postgres.retention import Retention
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.parts import LISTENERS, Run, run_all
from chassis.time_slots.runner import Runner


@dataclass(frozen=True)
class Service:
    """The running parts of one process."""

    settings: Settings
    pool: Pool
    consumer: BatchConsumer
    relays: tuple[Relay, Relay]
    reissuer: Reissuer
    runners: tuple[Runner, ...]
    retention: Retention
    clocks: DatabaseClockCheck
    profiles: CurrentProfiles
    health: Health
    metrics: Metrics
    api: FastAPI
    ends: high_water.Ends

    async def run(self, stop: asyncio.Event) -> None:
        """Take bookings, publish and answer until `stop` is set or a part fails."""
        appointments, reference_data = self.relays
        parts: dict[str, Run] = {
            "consumer": self.consumer.run,
            "relay": appointments.run,
            "reference relay": reference_data.run,
            "reissuer": self.reissuer.run,
            "retention": self.retention.run,
            "clocks": self.clocks.run,
            "profiles": self.profiles.run,
            high_water.PART: self.ends.run,
            **listeners(self.settings, self.health, self.metrics, self.api),
        }
        parts |= {f"slots {runner.job.name}": runner.run for runner in self.runners}
        await run_all(stop, self.health, parts, vital=(*LISTENERS, high_water.PART))
