"""Why a partition stands still, in words for people, with the way out."""

from dataclasses import dataclass

from aiokafka import TopicPartition

LOOK_AGAIN_S = 5.0
"""Between looks whether a partition that stands still was mended, or its position moved by `dead-letters skip`."""

SKIP = "attend dead-letters skip {service} {topic} {partition} --to {to} --by WHO --reason WHY"


@dataclass(frozen=True, slots=True)
class Halt:
    """Why one partition stands still, and where.

    Attributes:
        offset: The first record not taken.
        why: For people, without personal data.
        skip_to: The offset after what cannot be read, if that is known.
        in_records: It is over when these records are applied or skipped; else when the place can be read from.
    """

    offset: int
    why: str
    skip_to: int | None = None
    in_records: bool = True

    def text(self, tp: TopicPartition, service: str) -> str:
        """Return it for people, with the way out: the whole command, of the service that stands still."""
        way_out = ""
        if self.skip_to is not None:
            told = SKIP.format(service=service, topic=tp.topic, partition=tp.partition, to=self.skip_to)
            way_out = f". To go on without: {told}"
        return f"{tp.topic}[{tp.partition}] stands at {self.offset}: {self.why}{way_out}"
