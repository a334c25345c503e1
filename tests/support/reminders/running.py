"""Processes of reminders on real topics and a real database, and ways to look at what they did."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.process import clock
from schemas.appointments import Appointment
from schemas.envelope import event_type
from schemas.reminders import (
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    ReminderDue,
    RemindersCancelled,
    RemindersPlanned,
)
from schemas.topics import APPOINTMENTS, REMINDERS, TIMERS_CHANGELOG, Topic
from schemas.wire import decode, encode
from stack.ports import free_port
from stack.process import Running
from stack.spawn import Spawn, own_interpreter
from tests.support.installation import Installation
from tests.support.reminders.builders import headers_of
from tests.support.topics import Log, read_topic
from tests.support.waiting import until

KEY = "the operator's key"


@dataclass
class Process:
    """One running role."""

    role: str
    port: int
    operations_port: int
    running: Running

    @property
    def lives(self) -> bool:
        return self.running.running

    @property
    def log(self) -> str:
        """All that it has written."""
        return self.running.log.read_text()

    def send(self, number: int) -> None:
        if process := self.running.id.find():
            process.send_signal(number)

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.send(number)
        code = self.ended(20)
        assert code is not None, f"{self.role} has not ended by signal {number}: {self.log[-2000:]}"
        return code

    def ended(self, within_s: float) -> int | None:
        """Wait for its end; return its exit code, or None if it lives on."""
        self.running.wait(within_s)
        return self.running.exit_code


@dataclass
class RunningReminders:
    """An installation with a stepped clock and a producer of appointments."""

    installation: Installation
    folder: Path
    producer: AIOKafkaProducer
    http: httpx2.AsyncClient
    spawn: Spawn = own_interpreter
    processes: list[Process] = field(default_factory=list)

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock.json"

    def step(self, to: datetime) -> None:
        """Step domain time for all processes."""
        clock.step(self.clock_file, to)

    def start(self, role: str, *, module: str = "reminders", **env: str) -> Process:
        """Start a role as a process of its own."""
        return self._start(self.spawn, role, module, env)

    def start_anew(self, role: str, **env: str) -> Process:
        """Start a role as an interpreter of its own, which reads its libraries itself."""
        return self._start(own_interpreter, role, "reminders", env)

    def _start(self, spawn: Spawn, role: str, module: str, env: dict[str, str]) -> Process:
        port, operations_port = free_port(), free_port()
        log = self.folder / f"{role}-{len(self.processes)}.log"
        settings = {
            **os.environ,
            **self.installation.env,
            "REMINDERS_HTTP_PORT": str(port),
            "REMINDERS_OPERATIONS_PORT": str(operations_port),
            "ATTEND_CLOCK_FILE": str(self.clock_file),
            **env,
        }
        process = Process(role, port, operations_port, spawn(["-m", module, role], settings, log, Path.cwd()))
        self.processes.append(process)
        return process

    async def command(self, *words: str) -> tuple[int, str]:
        """Run `python -m reminders` to its end; return the exit code and what it said."""
        settings = {**os.environ, **self.installation.env, "COLUMNS": "400"}
        said = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "reminders", *words, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output, _ = await said.communicate()
        return said.returncode or 0, output.decode()

    async def get(self, process: Process, path: str) -> httpx2.Response:
        """Ask a process how it is."""
        return await self.http.get(f"http://127.0.0.1:{process.operations_port}{path}")

    async def answers(self, process: Process) -> bool:
        """Say whether it is there to be asked."""
        assert process.lives, process.log[-3000:]
        try:
            return (await self.get(process, "/health/live")).status_code == 200
        except httpx2.TransportError:
            return False

    async def ready(self, *processes: Process) -> None:
        """Wait until each says that it is ready."""
        for process in processes:

            async def answers(process: Process = process) -> bool:
                assert process.lives, f"{process.role} ended: {process.log[-3000:]}"
                try:
                    return (await self.get(process, "/health/ready")).status_code == 200
                except httpx2.TransportError:
                    return False

            await until(answers, f"{process.role} ready")

    async def idle(self, *processes: Process) -> None:
        """Wait until each has nothing to do at this domain time."""
        for process in processes:

            async def answers(process: Process = process) -> bool:
                return bool((await self.get(process, "/clock")).json()["idle"])

            await until(answers, f"{process.role} idle")

    async def publish(self, *events: Appointment) -> None:
        """Write versions of appointments, as booking does."""
        topic = self.installation.topic_prefix + APPOINTMENTS.name
        sent = [
            await self.producer.send(
                topic, key=str(e.appointment_id).encode(), value=encode(e), headers=list(headers_of(e))
            )
            for e in events
        ]
        await asyncio.gather(*sent)

    async def records(self, topic: Topic) -> Log:
        """Return all records of a topic, partition by partition."""
        name = self.installation.topic_prefix + topic.name
        return await read_topic(self.installation.bootstrap, name, topic.partitions)

    async def planned(self) -> list[RemindersPlanned]:
        """Return every plan published."""
        return [decode(RemindersPlanned, r.value) for r in await self._of(REMINDERS_PLANNED)]

    async def cancelled(self) -> list[RemindersCancelled]:
        """Return every correction published."""
        return [decode(RemindersCancelled, r.value) for r in await self._of(REMINDERS_CANCELLED)]

    async def due(self) -> list[ReminderDue]:
        """Return every hand-over published."""
        return [decode(ReminderDue, r.value) for r in await self._of(REMINDER_DUE)]

    async def _of(self, kind: str) -> Log:
        return [r for r in await self.records(REMINDERS) if event_type(tuple(r.headers)) == kind]

    async def changelog(self) -> dict[int, dict[bytes, bytes]]:
        """Return the newest row of each appointment, by partition."""
        rows: dict[int, dict[bytes, bytes]] = defaultdict(dict)
        for record in await self.records(TIMERS_CHANGELOG):
            assert record.key is not None
            if len(record.key) != 16:  # a sentinel, or terms
                continue
            if record.value is None:
                rows[record.partition].pop(record.key, None)
            else:
                rows[record.partition][record.key] = record.value
        return rows

    async def committed(self) -> int:
        """Return the sum of the worker group's committed offsets on `appointments`."""
        name = self.installation.topic_prefix + APPOINTMENTS.name
        group = self.installation.topic_prefix + "reminders-worker"
        consumer = AIOKafkaConsumer(bootstrap_servers=self.installation.bootstrap, group_id=group)
        await consumer.start()
        try:
            places = [await consumer.committed(TopicPartition(name, n)) for n in range(APPOINTMENTS.partitions)]
            return sum(place or 0 for place in places)
        finally:
            await consumer.stop()

    async def skips(self) -> list[tuple[Any, ...]]:
        """Return who passed over what, in whose name and why."""
        pool = await self.installation.pool("reminders")
        columns = "consumer, topic, partition, from_offset, to_offset, skipped_by, reason"
        rows = await pool.fetch(f"SELECT {columns} FROM position_skip ORDER BY id")  # noqa: S608  # names of ours
        return [tuple(row) for row in rows]

    async def reminders(self, appointment_id: UUID) -> dict[tuple[int, str | None], Any]:
        """Return the reminder records of an appointment by generation and rule."""
        pool = await self.installation.pool("reminders")
        rows = await pool.fetch("SELECT * FROM reminder WHERE appointment_id = $1", appointment_id)
        return {(row["schedule_gen"], row["rule"]): row for row in rows}

    async def statuses(self, appointment_id: UUID) -> dict[tuple[int, str | None], tuple[str, str | None]]:
        """Return status and reason of an appointment's reminders by generation and rule."""
        found = await self.reminders(appointment_id)
        return {place: (row["status"], row["reason"]) for place, row in found.items()}


def names(events: Sequence[ReminderDue]) -> list[tuple[int, str]]:
    """Return generation and rule of hand-overs, sorted."""
    return sorted((event.schedule_gen, event.rule) for event in events)
