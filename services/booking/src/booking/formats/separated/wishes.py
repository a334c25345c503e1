"""Whether a patient may be written to, as a row says it: a no holds, a yes lifts nothing that is held."""

from typing import NamedTuple

from booking.formats.separated.sheet import Row
from booking.profiles.csv_knobs import Column
from booking.values.refusals import Refused


class Wish(NamedTuple):
    """What a row refuses.

    Attributes:
        texts: Texts to his mobile, by whichever channel.
        mail: Email.
        consent: Its consent to any message is refused.
        contact: He is not to be contacted.
    """

    texts: bool
    mail: bool
    consent: bool
    contact: bool


def wish_of(row: Row) -> Wish:
    """Return what a row refuses.

    Raises:
        Refused: UNKNOWN_VALUE: a word that is neither yes nor no, which may be a no.
    """
    yes, no = row.sheet.yes, row.sheet.no

    def says(column: Column, words: frozenset[str]) -> bool:
        said = row.wishes(column)
        if any(word not in yes | no for word in said):
            text = "neither yes nor no, so perhaps a no: see csv.true_words and csv.false_words of the profile"
            raise Refused("UNKNOWN_VALUE", text, column)
        return not words.isdisjoint(said)

    refusals = {
        column: says(column, frozenset(words))
        for column, words in (
            (Column.MAY_TEXT, no),
            (Column.DO_NOT_TEXT, yes),
            (Column.MAY_EMAIL, no),
            (Column.DO_NOT_EMAIL, yes),
            (Column.CONSENT, no),
            (Column.DO_NOT_CONTACT, yes),
        )
    }
    return Wish(
        texts=refusals[Column.MAY_TEXT] or refusals[Column.DO_NOT_TEXT],
        mail=refusals[Column.MAY_EMAIL] or refusals[Column.DO_NOT_EMAIL],
        consent=refusals[Column.CONSENT],
        contact=refusals[Column.DO_NOT_CONTACT],
    )
