"""A whole installation for one test: database, roles, topics and the settings with which processes run on it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from chassis.kafka import topics as broker_topics
from chassis.postgres.database import Pool, create_pool
from schemas import topics
from stack import services
from tests.support.databases import ROLE_PASSWORD
from tests.support.topics import delete_topics

ADDRESS_PEPPER = "of the tests and as long as it has to be"


class Installation:
    """What a test needs to run services, as processes or in its own loop.

    Attributes:
        bootstrap: Kafka's address.
        admin_url: The database administrator's address.
        topic_prefix: In front of each topic and group.
    """

    def __init__(self, bootstrap: str, admin_url: str, topic_prefix: str) -> None:
        """Use `Installation.open`, which makes the topics and closes the pools."""
        self.bootstrap = bootstrap
        self.admin_url = admin_url
        self.topic_prefix = topic_prefix
        self._pools: dict[str, Pool] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, bootstrap: str, admin_url: str, topic_prefix: str, used: Sequence[topics.Topic] = topics.ALL
    ) -> AsyncIterator["Installation"]:
        """Make the topics that are used under the prefix; at the end of the block remove them and close the pools."""
        await broker_topics.apply(bootstrap, used, topic_prefix)
        opened = cls(bootstrap, admin_url, topic_prefix)
        try:
            yield opened
        finally:
            for pool in opened._pools.values():
                pool.terminate()
            await delete_topics(bootstrap, *(topic_prefix + topic.name for topic in used))

    @property
    def env(self) -> dict[str, str]:
        """The settings of all services, as environment variables for processes."""
        common = {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "ATTEND_TOPIC_PREFIX": self.topic_prefix,
            "DATABASE_ADMIN_URL": self.admin_url,
        }
        common["NOTIFIER_ADDRESS_PEPPER"] = ADDRESS_PEPPER
        own = {f"{services.prefix_of(name)}DATABASE_URL": self.service_url(name) for name in services.PACKAGES}
        return {**common, **own}

    def service_url(self, package: str) -> str:
        """Return the address with the least-rights role of the service."""
        parts = urlsplit(self.admin_url)
        server = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{services.role_of(package)}:{ROLE_PASSWORD}@{server}"))

    async def pool(self, package: str) -> Pool:
        """Return a pool with the service's role and schema; it is closed with the installation."""
        if package not in self._pools:
            self._pools[package] = await create_pool(self.service_url(package), package)
        return self._pools[package]
