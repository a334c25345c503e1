"""Every code by which the notifier refuses, each with what it means; those of every API are in `chassis.api.codes`."""

CODES = {
    "BAD_ADDRESS": "A mobile in E.164 (+447700900123) or an email.",
    "BAD_CHANNEL": "One of email, sms, whatsapp.",
    "BAD_WINDOW": "The window closes before it opens.",
    "TOO_MANY": "More addresses than a list holds.",
    "NO_PREFERENCES": "Nothing was said then: SMS if there is a mobile, else email.",
    "NOT_YOURS": "This token opens another inbox.",
    "NO_SUCH_NOTICE": "This provider has no notice of that number.",
    "NO_SUCH_TOKEN": "This inbox has no such token.",
    "TOO_MANY_STREAMS": "As many streams are open as may be. Ask for pages.",
    "GATE_SHUT": "It would never leave; `errors` says why.",
    "NOT_ON_LIST": "Nothing of this kind may be done with this message now.",
    "UNKNOWN_APPOINTMENT": "No part knows an appointment of this id.",
    "UNKNOWN_REPLY": "There is no such answer.",
    "UNKNOWN_CALLBACK": "There is none of this number, or it was kept long enough.",
    "NOT_REPLAYABLE": "It cannot be read again.",
    "STILL_UNREADABLE": "This version cannot read or do it either; `errors` says what.",
    "UNREADABLE": "This part of what a carrier sent cannot be read.",
    "BAD_SIGNATURE": "The signature is missing or is not ours.",
    "BODY_TOO_SLOW": "The body was not sent in time.",
    "MALFORMED": "What is signed is missing or cannot be read.",
}
