"""What was kept because nobody could read it, read again by this version of the program."""

from collections.abc import Callable

from notifier.callbacks.handle.intake import Batch, Came
from notifier.callbacks.handle.replay import ReadAgain
from notifier.carriers.meta import callbacks as meta
from notifier.carriers.smtp.bounces import read_mail
from notifier.carriers.twilio import callbacks as twilio
from notifier.receipts.domain import Carrier


def reader(rest: Callable[[], str]) -> ReadAgain:
    """Return the reader; `rest` gives the phone number id of what names none."""

    def read_again(carrier: Carrier, content: bytes, came: Came) -> Batch:
        match carrier:
            case Carrier.TWILIO:
                return twilio.read_again(content, came)
            case Carrier.META:
                return meta.read_again(content, came, rest())
            case Carrier.EMAIL:
                return read_mail(content)

    return read_again
