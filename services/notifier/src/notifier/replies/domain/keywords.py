"""The words by which people stop, start, ask for help, confirm and cancel, a row a language. Data alone.

Words are compared as `reading.plain` leaves them: lower case, without accents, signs and doubled blanks. Words of all
languages are heard together: nobody chooses the language of his STOP.

Sources: 47 CFR 64.1200(a)(10) names stop, quit, end, revoke, opt out, cancel and unsubscribe, and asks that any
reasonable wording be taken; Twilio's default words are STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE, OPTOUT,
START, YES, UNSTOP, HELP and INFO (support article "Twilio support for opt-out keywords"); ARRET is the word of Canadian
carriers' rules (CWTA, with AIDE for help), STOP that of the French, German, Dutch and Polish ones. The others are the
plain imperatives and nouns of those languages.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keywords:
    """The words of one language, each list with a comma between entries.

    Attributes:
        stop: Whoever begins with one wants no more messages, whatever follows but `elsewhere`.
        stop_alone: Stops only if nothing but decoration is beside it: begins other sentences too.
        elsewhere: Directly after `stop` it makes another sentence of it: "stop by at 5", "stopp nicht".
        cancel: Cancels a visit, with its code.
        polite: Decoration: says nothing by itself, before or after another word.
    """

    stop: str
    stop_alone: str
    elsewhere: str
    start: str
    help: str
    confirm: str
    cancel: str
    polite: str


KEYWORDS: Mapping[str, Keywords] = {
    "en": Keywords(
        stop="stop, stopp, stopall, unsubscribe, unsubscribe me, unsub, optout, opt out, opt me out",
        stop_alone="cancel, end, quit, revoke, stopped, remove me, leave me alone, no more, no more messages,"
        " no more texts, dont text me, do not text me, dont contact me, do not contact me, stop it",
        elsewhere="by, at, in, on, off, over, not, here, there, near, before, after, smoking, taking, eating, drinking,"
        " bleeding, for, outside, next",
        start="start, unstop, subscribe, resume, optin, opt in, opt me in",
        help="help, info, information, who is this, who are you",
        confirm="c, yes, y, confirm, ok",
        cancel="x, cancel",
        polite="please, pls, plz, thanks, thank you, thx, now, all, everything, me, this, that, it, messages, message,"
        " texts, text, texting, messaging, texting me, messaging me, sms, reminders, hi, hello, dear, sir, sirs, and,"
        " the, these, immediately",
    ),
    "de": Keywords(
        stop="stop, stopp, stoppen, abmelden, abbestellen, austragen",
        stop_alone="ende, aufhoren, keine nachrichten mehr, keine sms mehr, keine erinnerungen mehr",
        elsewhere="nicht, nie, bei, in, am, um, im, auf",
        start="start, anmelden",
        help="hilfe, info, wer ist das",
        confirm="ja, j, bestatigen",
        cancel="absagen, storno",
        polite="bitte, danke, jetzt, sofort, alle, alles, nachrichten, erinnerungen, hallo, sms, vielen dank, mich,"
        " liebe, grusse, mfg, lg, vg",
    ),
    "nl": Keywords(
        stop="stop, stoppen, afmelden, uitschrijven",
        stop_alone="einde, ophouden, geen berichten meer, geen sms meer",
        elsewhere="niet, nooit, bij, om, op",
        start="start, aanmelden, inschrijven",
        help="hulp, info, informatie, wie is dit",
        confirm="ja, bevestigen",
        cancel="annuleren",
        polite="aub, alstublieft, alsjeblieft, graag, bedankt, dank u, nu, alle, alles, berichten, herinneringen, mij",
    ),
    "fr": Keywords(
        stop="stop, arret, arreter, arretez, desabonner, desabonnement, desabonnez moi, desinscrire, desinscription,"
        " me desabonner, me desinscrire",
        stop_alone="fin, plus de messages, plus de sms, ne plus recevoir, resilier",
        elsewhere="pas, chez, a, de travail, maladie, cardiaque",
        start="start, reprendre, abonner, debut, demarrer",
        help="aide, info, infos, qui est ce, qui etes vous",
        confirm="oui",
        cancel="annuler",
        polite="svp, stp, s il vous plait, sil vous plait, s il te plait, merci, maintenant, tout, tous, bonjour,"
        " les, messages, rappels, sms, cordialement",
    ),
    "es": Keywords(
        stop="stop, parar, detener, desuscribir, desuscribirme, desuscribirse, darme de baja, dar de baja,"
        " darse de baja",
        stop_alone="alto, baja, fin, basta, pare, paren, salir, no mas, no mas mensajes",
        elsewhere="no, en, a",
        start="start, alta, iniciar, empezar, comenzar, suscribir, suscribirme, reanudar",
        help="ayuda, info, informacion, quien es",
        confirm="si, confirmar, confirmo",
        cancel="cancelar, anular",
        polite="por favor, porfavor, gracias, ahora, ya, todo, todos, los, mensajes, recordatorios, hola",
    ),
    "pt": Keywords(
        stop="stop, parar, pare, parem, descadastrar, cancelar inscricao",
        stop_alone="sair, fim, basta, chega, remover, nao quero mais, sem mensagens, nao quero mais mensagens",
        elsewhere="nao, em, no, na",
        start="start, iniciar, comecar, retomar, voltar a receber",
        help="ajuda, info, informacao, informacoes, quem e",
        confirm="sim, confirmar, confirmo",
        cancel="cancelar, desmarcar",
        polite="por favor, obrigado, obrigada, agora, tudo, todas, as, mensagens, lembretes, ola",
    ),
    "it": Keywords(
        stop="stop, disiscrivi, disiscrivimi, cancellami, annulla iscrizione, smettete, smettetela",
        stop_alone="basta, ferma, fermate, niente messaggi, non voglio piu messaggi",
        elsewhere="non, a, in, da",
        start="start, avvia, inizia, iscrivi, iscrivimi, riprendi, attiva",
        help="aiuto, info, informazioni, chi e",
        confirm="si, conferma, confermo",
        cancel="annulla, annullare, disdire, disdici",
        polite="per favore, perfavore, grazie, adesso, ora, subito, tutto, tutti, i, messaggi, promemoria, ciao",
    ),
    "pl": Keywords(
        stop="stop, wypisz, wypisz mnie, przestan, przestancie, zatrzymaj, wylacz",
        stop_alone="koniec, dosc, nie chce wiadomosci, rezygnuje z wiadomosci",
        elsewhere="nie, w, na, o",
        start="start, wznow, zapisz, zapisz mnie, wlacz",
        help="pomoc, info, informacja, informacje, kto to",
        confirm="tak, potwierdzam",
        cancel="odwolaj, odwoluje, anuluj",
        polite="prosze, dziekuje, teraz, wszystko, wszystkie, wiadomosci, przypomnienia, dzien dobry",
    ),
    "ar": Keywords(
        stop="ايقاف, اوقف, اوقفوا, توقف, توقفوا, وقف, قف, الغاء الاشتراك, الغ الاشتراك",
        stop_alone="كفى, لا ترسل, لا ترسلوا, لا اريد رسائل",
        elsewhere="عند, في, لا",
        start="ابدا, بدء, اشتراك, اشترك, تشغيل",
        help="مساعدة, معلومات, من انتم",
        confirm="نعم, تاكيد",
        cancel="الغاء",
        polite="من فضلك, رجاء, لو سمحت, شكرا, الان, الرسائل, رسائل, كل",
    ),
    "sw": Keywords(
        stop="stop, acha, acheni, sitisha, simamisha, komesha, jiondoe, jitoe, niondoe",
        stop_alone="ondoa, mwisho, toka, sitaki ujumbe",
        elsewhere="si, katika, hapo, hapa",
        start="start, anza, jiunge, endelea",
        help="msaada, maelezo, taarifa, wewe ni nani",
        confirm="ndiyo, ndio, thibitisha",
        cancel="ghairi, futa",
        polite="tafadhali, asante, sasa, yote, zote, ujumbe, kutuma",
    ),
}

AMBIGUOUS = frozenset({"cancel"})
"""Alone the law reads it as STOP, and a patient may mean his visit: it stops the messages, and staff look."""

SIGNATURES = (
    "sent from", "get outlook", "sent with", "gesendet", "von meinem", "verzonden", "verstuurd", "envoye de",
    "envoye depuis", "enviado", "inviato", "wyslane", "wyslano", "imetumwa",
)  # fmt: skip
"""How a line begins that a phone or a mail program adds below, or `--` (RFC 3676, 4.3)."""
