"""The route to which a mail server posts returned mails, with a secret of its own."""

from fastapi import APIRouter, Request, Response

from notifier.callbacks.carrier_routes import Callbacks, signed_by
from notifier.callbacks.secrets import is_one_of
from notifier.carriers.smtp.bounces import LARGEST_MAIL, read_mail
from notifier.receipts.domain import Carrier

BOUNCE_HEADER = "X-Bounce-Secret"
"""Carries the mail server's secret."""


def add_bounces(router: APIRouter, callbacks: Callbacks) -> None:
    """Add the route."""

    @router.post(
        "/dsn",
        status_code=204,
        summary="A returned mail (RFC 3464), with a mail server's secret",
        dependencies=[signed_by(BOUNCE_HEADER, "BounceSecret", "The mail server's secret.")],
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def post_bounce(request: Request) -> Response:
        if not is_one_of(callbacks.secrets().bounces, request.headers.get(BOUNCE_HEADER, "")):
            raise callbacks.door.unsigned("email")
        mail = await callbacks.door.read(request, "email", LARGEST_MAIL)
        await callbacks.intake.take(Carrier.EMAIL, read_mail(mail))
        return Response(status_code=204)
