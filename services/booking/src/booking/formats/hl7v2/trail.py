"""Where a visit's status and clinic came from, for whoever asks: several fields and tables decide each."""

from booking.formats.hl7v2.resources import Place, Visit
from booking.formats.hl7v2.segments import Message
from booking.formats.hl7v2.words import TRIGGERS
from booking.formats.status_words import folded, word_of
from booking.profiles.domain import Hl7Profile, Profile
from booking.values.warned import Details

_BY_SENDER = "who sent the message, where none is known"


def note_status(message: Message, visit: Visit, knobs: Hl7Profile, details: Details) -> None:
    """Note which event a message is, and by which trigger and which word the visit's status is what it is."""
    details.took("key", "MSH-10", "", "with a hash of sender, trigger and body")
    trigger = message.trigger
    meaning = knobs.events.get(trigger) or TRIGGERS.get(trigger)
    by_profile = trigger in knobs.events
    details.took("status", "MSH-9.2", "hl7v2.events" if by_profile else "", f"{trigger} means {meaning}")
    own = {folded(text) for text in knobs.words}
    for path in knobs.status:
        if not (text := visit.text(path)):
            continue
        word, _ = word_of([text], knobs.words)
        if word is not None:
            knob = "hl7v2.words" if folded(text) in own else "hl7v2.status"
            details.took("status", path, knob, f"the word is of class {word}")
            return
        details.took("status", path, "hl7v2.status", "the word is of no class, and says nothing")


def note_place(place: Place, visit: Visit, profile: Profile, details: Details) -> None:
    """Note which of the places that may stand for the clinic are said, and which one is known."""
    knobs = profile.hl7v2
    is_said = place.clinic is not None
    for path in knobs.place:
        text = visit.text(path)
        if text in knobs.clinics:
            is_said = True
            details.took("clinic", path, "hl7v2.clinics", _BY_SENDER if path.startswith("MSH") else "")
        elif text and any(path == one for one, _ in place.identifiers):
            details.took("clinic", path, "hl7v2.place", "it may be an identifier of a clinic")
    if not is_said and place.otherwise is not None:
        knob = "clinic" if place.otherwise == profile.clinic else ""
        details.took("clinic", "", knob, f"{'' if knob else 'the own one of the client, '}where none is known")
