"""How Twilio signs what it posts.

Base64 of the HMAC-SHA1, keyed with the account's auth token, over the public URL as Twilio called it followed by each
form field's name and value, sorted by name (twilio.com/docs/usage/security, "Validating requests"). Values of a
repeated field are sorted, each once, as Twilio's own libraries do.
"""

import base64
import hmac
from collections.abc import Iterable, Sequence

from notifier.callbacks.secrets import is_one_of


def twilio_signature(token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """Return the signature that Twilio gives a form posted to this URL."""
    fields = sorted(set(form))
    signed = url + "".join(name + value for name, value in fields)
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def twilio_is_genuine(tokens: Sequence[str], url: str, form: Sequence[tuple[str, str]], given: str) -> bool:
    """Say whether one of the tokens signed this form."""
    return is_one_of([twilio_signature(token, url, form) for token in tokens if token], given)
