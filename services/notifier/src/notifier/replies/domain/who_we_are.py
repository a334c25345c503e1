"""What HELP is answered: who writes, how to reach them, and how to end it.

Source: CTIA, Messaging Principles and Best Practices, 5.1.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.replies.domain.visits import Messaged, about, concerned

ANSWERED_ONCE_IN = timedelta(hours=1)
"""Of two machines that answer each other, this one stops."""

LONGEST_NAME = 40
"""Characters of a clinic's name: with them the text takes two segments of an SMS at most, in any language."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """How one language says it.

    Attributes:
        text: `{clinic}` stands for who writes.
        nameless: Who writes, where no name is to be said, or several clinics come into question.
    """

    text: str
    nameless: str


INTRODUCTIONS: Mapping[str, Introduction] = {
    "en": Introduction("{clinic} writes to you about your appointments. Reply STOP to end this.", "Your clinic"),
    "de": Introduction("{clinic} schreibt Ihnen zu Ihren Terminen. Mit STOP endet das.", "Ihre Praxis"),
    "nl": Introduction("{clinic} schrijft u over uw afspraken. Antwoord STOP om dit te beëindigen.", "Uw praktijk"),
    "fr": Introduction("{clinic} vous écrit pour vos rendez-vous. Répondez STOP pour arrêter.", "Votre cabinet"),
    "es": Introduction("{clinic} le escribe sobre sus citas. Responda STOP para dejar de recibirlos.", "Su centro"),
    "pt": Introduction("{clinic} escreve-lhe sobre as suas consultas. Responda STOP para parar.", "O seu centro"),
    "it": Introduction("{clinic} le scrive per i suoi appuntamenti. Risponda STOP per smettere.", "Il suo centro"),
    "pl": Introduction("{clinic} pisze o Państwa wizytach. Odpowiedź STOP to kończy.", "Państwa przychodnia"),
    "ar": Introduction("{clinic}: نراسلكم بشأن مواعيدكم. أرسلوا STOP لإيقاف الرسائل.", "عيادتكم"),
    "sw": Introduction("{clinic} inakuandikia kuhusu miadi yako. Jibu STOP kusitisha.", "Kliniki yako"),
}

LAST_RESORT = "en"


def who_we_are(messaged: Sequence[Messaged], now: datetime) -> str:
    """Return the answer to HELP: the clinic's name and phone if it is certain which, in the first language known.

    Args:
        messaged: The visits that the sender was written to about.
    """
    visit = about(messaged, now) or next(iter(messaged), None)
    tags = visit.languages if visit else ()
    spoken = next((tag[:2].lower() for tag in tags if tag[:2].lower() in INTRODUCTIONS), LAST_RESORT)
    said = INTRODUCTIONS[spoken]
    clinics = concerned(messaged, now)
    found = {(one.clinic_name[:LONGEST_NAME], one.clinic_phone) for one in messaged if one.clinic_id in clinics}
    names, phones = {name for name, _ in found}, {phone for _, phone in found}
    name = (names.pop() if len(names) == 1 else "") or said.nameless
    phone = f" ({phones.pop()})" if len(phones) == 1 and "" not in phones else ""
    return said.text.format(clinic=name + phone)
