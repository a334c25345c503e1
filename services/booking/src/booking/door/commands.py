"""A command in a request's body: read, carried out in one transaction, and refused in one way."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from pydantic import BaseModel, ValidationError

from booking.door.bodies import problem, refusal_of
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.values.refusals import Refused
from chassis.postgres.database import Connection


async def run_command[B: BaseModel, T](
    transactions: Transactions, request: Request, model: type[B], story: Callable[[Connection, B], Awaitable[T]]
) -> T:
    """Return what the story makes of the request's body, after its commit."""
    body = await request.body()
    try:
        told = model.model_validate(strict_json(body))
        return await transactions.run(lambda connection: story(connection, told))
    except ValidationError as error:
        refusal = refusal_of(error)
    except Refused as refused:
        refusal = refused
    transactions.counts.refused(refusal)
    raise problem(refusal)
