"""The page docs/booking/hl7v2.md: where each field stands, and the table of triggers and words as booking has it."""

from collections.abc import Iterator

from booking.formats.hl7v2.words import COLUMNS, TABLE, TRIGGERS, Outcome
from booking.formats.status_words import KNOWN_WORDS
from booking.profiles.domain import Meaning, Word
from schemas.appointments import Status

HEAD = """# HL7 v2

<!-- made by `make pages` from docs/site/triggers.py and booking's formats/hl7v2/words.py: what is to be otherwise is changed there -->

Scheduling messages (SIU S12 to S24, S26, S27), HL7 2.1 to 2.9, read by the names of segments in any order. What a source
means by what it sends is its profile's to say; every knob has a default that takes what the field is known to send.

| door | answer |
|---|---|
| `POST /v1/hl7v2`, one message or a batch | 200 with an acknowledgement for each, in order (`application/hl7-v2`) |
| `POST /v1/events` with `Content-Type: application/hl7-v2` | as for any event, JSON; a batch (FHS, BHS) item by item |
| an inbound topic, header `content-type: application/hl7-v2` | the record's fate; its key is a name of the visit, or the bare number in it |

The media types `x-application/hl7-v2+er7` and `application/hl7-v2+er7` are the same. Which source a message is of is told by
`?source=`, by the client's only one, or by MSH-3 and MSH-4 where profiles match them; on a topic by them alone.

| acknowledgement | the message |
|---|---|
| AA | was taken, or taken before, or is of nobody's visit (S23, S24, a blocked slot) |
| AR with ERR | is refused for good: the place is ERR-2, our code ERR-5. Senders that stop at AR hear AA if the profile says so (`ack.refused_as`) |
| AE with ERR 207 | could not be kept now: send it again as it is |

A lost answer and a resend is a repeat: the key is MSH-10 with a hash of sender, trigger and body, so a number that is used
again for something else is another event. Order is by MSH-7, within the bounds of every event; arrival where it says nothing.

## What a message makes of a visit

The trigger wins, the word in SCH-25 refines what was booked or changed
([0059](../decisions/0059-the-trigger-wins-and-the-word-refines.md)). `events` of the profile gives a trigger another meaning, `words`
gives the source's own words a class.

"""  # noqa: E501  # rows of a table
LEGEND = """
**kept, else**: a visit that is known keeps its status, another has this one. **forward to**: one that was booked or more keeps it.
**begun kept, else**: one that has begun (*arrived*, *checked-in*, *fulfilled*) keeps it. **c**: it is confirmed. **!**: they contradict
each other; it is taken, with the warning `WORD_DISAGREES` (`booking_warnings` counts it by source). **H**: and nothing is
sent for it, it is on the work list as `HELD_BACK` until the source says something that agrees, or a person does. **past / else**: by whether the visit's time has come.
S27 names visits that are new or as they are now; a visit that it does not name stays. A no-show may be a clock's: it is taken, and
nothing is sent for it, unless the profile says `no_show_by_clock: false`.

## Status words

In any case, without blanks, dots, hyphens, slashes and underscores; SCH-25.1, then .2, then .3. What begins with *cancel*
(but for requests and what is undone), *no show* or *did not attend* is of that class, whoever did it and why. A word of no class
says nothing, warning `UNKNOWN_WORD`.

"""  # noqa: E501  # long lines of a page
FIELDS = """
## Where each field stands

| of the visit | where, best first | notes |
|---|---|---|
| names | SCH-2 `filler\\|ID`, SCH-1 `placer\\|ID`, with the assigner `filler\\|NS\\|ID`; SCH-3, if it is a number, is added as `#2` | the first is believed; S12 and S27 with a new filler's number are a new visit, whatever its placer's; any other event with one is of the visit that its placer's number names, if that is not another patient's, and both lead to it. Where the placer's number is of many visits, let the profile name SCH-2 alone |
| patient | PID-3 as `authority\\|id`, else the bare id; types MR, MRN, PI, NH, NN, NHS, none | PID-2: the NHS number where PID-3 has none, any where PID-3 has nobody. Ids that are over (PID-3.8), `""`, four zeros or more alone, *UNKNOWN* and the like, accounts and social security numbers name nobody |
| start | TQ1-7, SCH-11.4, AIS-4, AIL-6, AIP-6, AIG-8 | without an offset in the profile's zone, else in that of the profile's clinic or the client's own, if the visit's clinic shows the same time, else refused (`NAIVE_TIME`): MSH-7's is not borrowed. What cannot be read, or is `""`, is passed over if another can be read |
| end | TQ1-8, SCH-11.5; else the length: TQ1-6, TQ1-13, SCH-9 by SCH-10, AIS-7 by AIS-8, SCH-11.3 | within 24 h of the start. A unit that nobody knows is none; without one it is minutes, more than 480 seconds; a new visit of which nothing is said lasts `default_minutes` |
| clinician | AIP-3 (AIP-4 Primary first), AIG-3 if AIG-4 is a person's kind, PV1-7 | never one with action D, or of a group with it; all taken away: nobody |
| clinic | AIL-3.4, PV1-3.4, RGS-3.1, AIL-3.1, PV1-3.9 through the profile's `clinics`, else as identifiers of the clinic (system `AIL-3.4`, …) | MSH-4 through `clinics` alone, and only for new visits; then the profile's `clinic`, then the client's |
| service | AIS-3.2, AIS-3.1, SCH-8, SCH-7 | `""` takes it away |
| reason | SCH-6 of S15, S16 and S17 | elsewhere it holds anything |
| his name | PID-5: D, L, CURRENT, none, N | a maiden or former name greets nobody |
| his phones | PID-13, PID-14, PID-40: mobiles (CP, PRS, ORN, MOBILE) before others | free text, also the old form `(555)123-4567X12CWORK`, parts or unformatted; what it is may stand in .4, and a whole number in any component. Not those at work, of whom he names for emergencies, fax, pager, whatever else they are said to be. `""^MOBILE` takes his mobile away, `""` in PID-13 all |
| his email | .4 or .1 with an @, also at work | `^NET^Internet^""` takes it away |
| his language | PID-15 | by the shortest code; NSP and the like say nothing |
| whether he is dead | PID-30, else PID-29 | |

Z-segments fill fields by the profile's `extra` (`mobile: Z01-1`), before the usual place. Empty says nothing, `""` takes away (D51).
A detail that cannot be kept is dropped with its place (0038). NTE, OBX and DG1 are not kept.

## Messages of patients

ADT over `POST /v1/hl7v2` and MLLP, from a client that may register. Of a patient stays what a message does not say (D51); he is named by the
first of his names above.

| trigger | becomes |
|---|---|
| A04, A05, A08, A28, A31 | he is registered, or changed in what is said of him; national numbers by the country of the profile, else of its default clinic or the client's, else of the installation |
| A23, A29 | nobody writes to him any more (`do_not_contact`); what becomes of his visits is told of its own. Of whom nobody registered nothing follows |
| A40, A34 | the record in MRG-1 is merged into that of the PID before it, pair by pair, all of a message or none: as `POST /v1/patients/{id}/merge` does it. Where one of the two was never heard of, the other has his name from now on, and of two strangers nothing follows. A number that both have, as a national one, is of neither alone. PID and MRG alike, or turned round after they were merged: refused, `SAME_PATIENT` at `MRG^1`; a merge is not undone |
| all others | refused, `UNSUPPORTED_EVENT` |

## Refused

| code | when |
|---|---|
| `NO_SCH`, `NO_APPOINTMENT_ID` | nothing says which visit is meant |
| `SEVERAL_PATIENTS` | two PID of two people |
| `SEVERAL_APPOINTMENTS` | several SCH of several visits, or of one at several times |
| `SEVERAL_TIMES` | several TQ1, or SCH-11 that repeats, with other times, unless the profile says `several_tq1: earliest` |
| `NAIVE_TIME`, `BAD_TIME`, `TIME_OUT_OF_RANGE`, `START_IN_SPRING_GAP` | no start of a visit that stands can be read |
| `UNSUPPORTED_MESSAGE`, `UNSUPPORTED_EVENT` | neither scheduling nor patients (ORM, MDM, …), or a trigger of which nothing is known |
| `NO_PATIENT`, `MAY_NOT_REGISTER` | ADT that names nobody, or from a client that may not register |
| `IGNORED_MESSAGE` | of nobody's visit: AA over HL7's own doors, 422 at `POST /v1/events`, a dead letter on a topic |
| `WRONG_PROCESSING_ID` | MSH-11 is none that the profile takes |

And what refuses any event: `PATIENT_REQUIRED`, `CLINIC_REQUIRED`, `START_REQUIRED`, `UNKNOWN_CLINIC`, … ([events](events.md)).
"""  # noqa: E501  # rows of a table

KEEPS = {1: "cancelled kept, else ", 3: "begun kept, else ", 7: "forward to ", len(Status): "kept, else "}


def page() -> str:
    """Return the page."""
    head = ["trigger", *("none" if word is None else word.value for word in COLUMNS)]
    rows = [head, ["---"] * len(head), *_rows()]
    words = [(word.value, sorted(text for text, of in KNOWN_WORDS.items() if of is word)) for word in Word]
    classes = ["| class | words |", "|---|---|", *(f"| {word} | {', '.join(texts)} |" for word, texts in words)]
    drawn = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return HEAD + drawn + "\n" + LEGEND + "\n".join(classes) + "\n" + FIELDS


def _rows() -> Iterator[list[str]]:
    for meaning in Meaning:
        triggers = [trigger for trigger, means in TRIGGERS.items() if means is meaning]
        name = f"{', '.join(triggers)} {meaning.value}"
        if meaning is Meaning.IGNORED:
            yield [name, *["ignored"] * len(COLUMNS)]
        else:
            yield [name, *(_cell(*TABLE[meaning, word]) for word in COLUMNS)]


def _cell(after: Outcome, before: Outcome) -> str:
    return _written(before) if after == before else f"{_written(after)} / {_written(before)}"


def _written(outcome: Outcome) -> str:
    keeps = KEEPS[len(outcome.keeps)] if outcome.keeps else ""
    marks = ((outcome.confirmed is True, "c"), (outcome.disagrees, "!"), (outcome.holds, "H"))
    return " ".join([f"{keeps}{outcome.status.value}", *(mark for is_so, mark in marks if is_so)])
