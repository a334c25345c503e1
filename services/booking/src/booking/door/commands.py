"""A command in a request's body: read, carried out in one transaction, and refused in one way."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from pydantic import BaseModel, ValidationError

from booking.door.bodies import naming_unread, problem, read, refusal_of, unknown_fields
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.values.refusals import Refused
from booking.values.warned import Warned
from chassis.postgres.database import Connection


async def run_command[B: BaseModel, T](
    transactions: Transactions, request: Request, model: type[B], story: Callable[[Connection, B], Awaitable[T]]
) -> T:
    """Return what the story makes of the request's body, after its commit."""
    return (await run_told(transactions, request, model, story))[0]


async def run_told[B: BaseModel, T](
    transactions: Transactions, request: Request, model: type[B], story: Callable[[Connection, B], Awaitable[T]]
) -> tuple[T, list[Warned]]:
    """Return what the story makes of the request's body, after its commit, and which of its fields were passed over."""
    body = await request.body()
    try:
        value = strict_json(body)
        told = read(model, value)
        with naming_unread(model, value):
            done = await transactions.run(lambda connection: story(connection, told))
        return done, list(unknown_fields(model, value))
    except ValidationError as error:  # what it makes of what is held has not the shape
        refusal = refusal_of(error, model, value)
    except Refused as refused:
        refusal = refused
    transactions.counts.refused(refusal)
    raise problem(refusal)
