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
        elsewhere: Directly after `stop` it makes another sentence of it: "stop by later"; # is a number.
        negation: The only word after `stop`, it turns it round: "stopp nicht".
        before: What may stand before `stop`: whoever begins so and goes on with it wants no more messages.
        cancel: Cancels a visit, with its code.
        polite: Decoration: says nothing by itself, before or after another word.
    """

    stop: str
    stop_alone: str
    negation: str
    start: str
    help: str
    confirm: str
    cancel: str
    polite: str
    elsewhere: str = ""
    before: str = ""


KEYWORDS: Mapping[str, Keywords] = {
    "en": Keywords(
        stop="stop, stopp, stopall, unsubscribe, unsubscribe me, unsub, optout, opt out, opt me out",
        stop_alone="cancel, end, quit, revoke, stopped, remove me, leave me alone, no more, no more messages,"
        " no more texts, dont text me, do not text me, dont contact me, do not contact me, stop it",
        elsewhere="by, over, off, at #, in at, in on, in today, in tomorrow, in later, here, there,"
        " outside, smoking, taking, eating, drinking, bleeding, breathing",
        negation="never",
        start="start, unstop, subscribe, resume, optin, opt in, opt me in",
        help="help, info, information, who is this, who are you",
        confirm="c, yes, y, confirm, ok",
        cancel="x, cancel",
        polite="please, pls, plz, thanks, thank you, thx, now, all, everything, me, this, that, it, messages, message,"
        " texts, text, texting, messaging, texting me, messaging me, sms, reminders, hi, hello, dear, sir, sirs, and,"
        " the, these, immediately",
        before="i want to, i d like to, id like to, i would like to, i wish to, please, pls, can you, could you,"
        " will you, just, ok, okay, reply, text, yes, hey, hi, hello, you must, you need to",
    ),
    "de": Keywords(
        stop="stop, stopp, stoppen, abmelden, abbestellen, austragen",
        stop_alone="ende, aufhoren, keine nachrichten mehr, keine sms mehr, keine erinnerungen mehr",
        negation="nicht, nie",
        start="start, anmelden",
        help="hilfe, info, wer ist das",
        confirm="ja, j, bestatigen",
        cancel="absagen, storno",
        polite="bitte, danke, jetzt, sofort, alle, alles, nachrichten, erinnerungen, hallo, sms, vielen dank, mich,"
        " liebe, grusse, mfg, lg, vg",
        before="bitte, ich mochte, ich will, konnen sie, ok",
    ),
    "nl": Keywords(
        stop="stop, stoppen, afmelden, uitschrijven",
        stop_alone="einde, ophouden, geen berichten meer, geen sms meer",
        negation="niet, nooit",
        start="start, aanmelden, inschrijven",
        help="hulp, info, informatie, wie is dit",
        confirm="ja, bevestigen",
        cancel="annuleren",
        polite="aub, alstublieft, alsjeblieft, graag, bedankt, dank u, nu, alle, alles, berichten, herinneringen, mij",
        before="ik wil, graag, kunt u",
    ),
    "fr": Keywords(
        stop="stop, arret, arreter, arretez, desabonner, desabonnement, desabonnez moi, desinscrire, desinscription,"
        " me desabonner, me desinscrire",
        stop_alone="fin, plus de messages, plus de sms, ne plus recevoir, resilier",
        elsewhere="de travail, maladie, cardiaque, du traitement",
        negation="pas, jamais",
        start="start, reprendre, abonner, debut, demarrer",
        help="aide, info, infos, qui est ce, qui etes vous",
        confirm="oui",
        cancel="annuler",
        polite="svp, stp, s il vous plait, sil vous plait, s il te plait, merci, maintenant, tout, tous, bonjour,"
        " les, messages, rappels, sms, cordialement",
        before="je veux, je souhaite, veuillez, merci de, pouvez vous",
    ),
    "es": Keywords(
        stop="stop, parar, detener, desuscribir, desuscribirme, desuscribirse, darme de baja, dar de baja,"
        " darse de baja",
        stop_alone="alto, baja, fin, basta, pare, paren, salir, no mas, no mas mensajes",
        elsewhere="mi cita, la cita",
        negation="nunca",
        start="start, alta, iniciar, empezar, comenzar, suscribir, suscribirme, reanudar",
        help="ayuda, info, informacion, quien es",
        confirm="si, confirmar, confirmo",
        cancel="cancelar, anular",
        polite="por favor, porfavor, gracias, ahora, ya, todo, todos, los, mensajes, recordatorios, hola",
        before="quiero, quisiera, por favor, deseo",
    ),
    "pt": Keywords(
        stop="stop, parar, pare, parem, descadastrar, cancelar inscricao",
        stop_alone="sair, fim, basta, chega, remover, nao quero mais, sem mensagens, nao quero mais mensagens",
        elsewhere="minha consulta, a consulta",
        negation="nao, nunca",
        start="start, iniciar, comecar, retomar, voltar a receber",
        help="ajuda, info, informacao, informacoes, quem e",
        confirm="sim, confirmar, confirmo",
        cancel="cancelar, desmarcar",
        polite="por favor, obrigado, obrigada, agora, tudo, todas, as, mensagens, lembretes, ola",
        before="quero, gostaria de, por favor",
    ),
    "it": Keywords(
        stop="stop, disiscrivi, disiscrivimi, cancellami, annulla iscrizione, smettete, smettetela",
        stop_alone="basta, ferma, fermate, niente messaggi, non voglio piu messaggi",
        negation="non, mai",
        start="start, avvia, inizia, iscrivi, iscrivimi, riprendi, attiva",
        help="aiuto, info, informazioni, chi e",
        confirm="si, conferma, confermo",
        cancel="annulla, annullare, disdire, disdici",
        polite="per favore, perfavore, grazie, adesso, ora, subito, tutto, tutti, i, messaggi, promemoria, ciao",
        before="voglio, vorrei, per favore",
    ),
    "pl": Keywords(
        stop="stop, wypisz, wypisz mnie, przestan, przestancie, zatrzymaj, wylacz",
        stop_alone="koniec, dosc, nie chce wiadomosci, rezygnuje z wiadomosci",
        negation="nie",
        start="start, wznow, zapisz, zapisz mnie, wlacz",
        help="pomoc, info, informacja, informacje, kto to",
        confirm="tak, potwierdzam",
        cancel="odwolaj, odwoluje, anuluj",
        polite="prosze, dziekuje, teraz, wszystko, wszystkie, wiadomosci, przypomnienia, dzien dobry",
        before="chce, prosze",
    ),
    "ar": Keywords(
        stop="ايقاف, اوقف, اوقفوا, توقفوا, وقف, قف, الغاء الاشتراك, الغ الاشتراك",
        stop_alone="توقف, كفى, لا ترسل, لا ترسلوا, لا اريد رسائل",
        elsewhere="عند",
        negation="لا",
        start="ابدا, بدء, اشتراك, اشترك, تشغيل",
        help="مساعدة, معلومات, من انتم",
        confirm="نعم, تاكيد",
        cancel="الغاء",
        polite="من فضلك, رجاء, لو سمحت, شكرا, الان, الرسائل, رسائل, كل",
        before="اريد, ارجو, من فضلك",
    ),
    "sw": Keywords(
        stop="stop, sitisha, simamisha, komesha, jiondoe, jitoe, niondoe",
        stop_alone="acha, acheni, ondoa, mwisho, toka, sitaki ujumbe",
        elsewhere="katika, hapo, hapa",
        negation="si",
        start="start, anza, jiunge, endelea",
        help="msaada, maelezo, taarifa, wewe ni nani",
        confirm="ndiyo, ndio, thibitisha",
        cancel="ghairi, futa",
        polite="tafadhali, asante, sasa, yote, zote, ujumbe, kutuma",
        before="nataka, tafadhali, naomba",
    ),
}

AMBIGUOUS = frozenset({"cancel"})
"""Alone the law reads it as STOP, and a patient may mean his visit: it stops the messages, and staff look."""

SIGNATURES = (
    "sent from", "get outlook", "sent with", "gesendet", "von meinem", "verzonden", "verstuurd", "envoye de",
    "envoye depuis", "enviado", "inviato", "wyslane", "wyslano", "imetumwa",
)  # fmt: skip
"""How a line begins that a phone or a mail program adds below, or `--` (RFC 3676, 4.3)."""
