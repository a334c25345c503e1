"""One telephone line, many spellings: a number that a carrier tells may be another text than the one written to.

| country | a mobile line | is also told as | because |
|---|---|---|---|
| Argentina | +54 9 11 5555 4444 | +54 11 5555 4444 | only calls from abroad need the 9 |
| Benin | +229 01 90 01 12 34 | +229 90 01 12 34 | 01 stands before every number since November 2024 |
| Brazil | +55 11 9 8765 4321 | +55 11 8765 4321 | the ninth digit came later than many ids of WhatsApp |
| Mexico | +52 55 1234 5678 | +52 1 55 1234 5678 | only calls from abroad needed the 1, until 2019 |

Sources: the numbering plans as ITU publishes them (itu.int, National Numbering Plans), and ids of WhatsApp as seen in
other products' reports.
"""

import re

_FORMS = (
    (re.compile(r"\+549(\d{10})"), "+54{}"),
    (re.compile(r"\+54([1-8]\d{9})"), "+549{}"),
    (re.compile(r"\+22901(\d{8})"), "+229{}"),
    (re.compile(r"\+229([2-9]\d{7})"), "+22901{}"),
    (re.compile(r"\+55([1-9]\d)9([6-9]\d{7})"), "+55{}{}"),
    (re.compile(r"\+55([1-9]\d)([6-9]\d{7})"), "+55{}9{}"),
    (re.compile(r"\+521(\d{10})"), "+52{}"),
    (re.compile(r"\+52([2-9]\d{9})"), "+521{}"),
)
"""What one form of a line is, and the other; each way. Brazil's landlines begin with 2 to 5, and have one form."""


def other_form(number: str) -> str | None:
    """Return the other text by which a mobile line in E.164 is told; None if it has one form only."""
    for form, other in _FORMS:
        if found := form.fullmatch(number):
            return other.format(*found.groups())
    return None
