"""The secrets that make the keys of addresses: read from the settings, and none that was used is ever missing.

An instance without one of them would not find the opt-outs that were written under it, and would write to people who
said STOP. So it does not start.
"""

from chassis.postgres.database import Pool
from chassis.process.errors import Misconfigured
from notifier.settings import Settings, several
from notifier.values.addresses import SHORTEST, Peppers

SETTING = "NOTIFIER_ADDRESS_PEPPER"

USED = "INSERT INTO address_pepper (mark) VALUES ($1) ON CONFLICT DO NOTHING"
MISSING = "SELECT count(*) FROM address_pepper WHERE NOT mark = ANY($1::bytea[])"


def peppers_of(settings: Settings) -> Peppers:
    """Return the secrets of the settings, newest first."""
    secrets = several(settings.address_pepper)
    if not secrets:
        raise Misconfigured(f"settings: {SETTING}: give a secret of {SHORTEST} characters or more, for good")
    if any(len(secret) < SHORTEST for secret in secrets):
        raise Misconfigured(f"settings: {SETTING}: each secret has {SHORTEST} characters or more")
    return Peppers(tuple(secret.encode() for secret in secrets))


async def check(pool: Pool, peppers: Peppers) -> None:
    """Refuse to start without a secret under which something was written; note the newest one as used."""
    missing = await pool.fetchval(MISSING, list(peppers.marks()))
    if missing:
        raise Misconfigured(
            f"settings: {SETTING} lacks {missing} of the secrets that opt-outs were kept with: "
            "put a new one in front, with a comma, and keep the old ones behind it"
        )
    await pool.execute(USED, peppers.marks()[0])
