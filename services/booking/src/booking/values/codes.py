"""Every code by which booking refuses, whatever was asked and however it came in, each with what it means.

Where a place is wrong, an answer's `detail` says more of it. The codes of every API are in `chassis.api.codes`.
"""

_RIGHTS = {
    "FOREIGN_SOURCE": "Not a source of this client.",
    "FOREIGN_CLINIC": "Not a clinic of this client.",
    "FOREIGN_PATIENT": "This client does not see all clinics of this patient.",
    "MAY_NOT_REGISTER": "This client may not register patients.",
    "MAY_NOT_SET_POLICY": "This client may not set the policies of clinics.",
    "MAY_NOT_MANAGE_CLINICS": "This client may not enter or change clinics and clinicians.",
    "MAY_NOT_OVERRIDE": "This client may not check in whose visit is not cleared.",
    "MAY_NOT_CLEAR": "This client may not say whether visits are cleared.",
    "OPERATOR_ONLY": "Only a key that sees all sources and clinics may ask this.",
}
_BODIES = {
    "EMPTY_BODY": "The body is empty.",
    "NOT_UTF8": "The body is not UTF-8.",
    "NUL_CHARACTER": "The body, or a text in it, holds a NUL.",
    "LONE_SURROGATE": "A text holds half of a surrogate pair.",
    "TRUNCATED_JSON": "The JSON ends too soon.",
    "TRAILING_CONTENT": "Something follows the JSON value; send one a request.",
    "DUPLICATE_KEY": "An object names a field twice.",
    "NOT_A_NUMBER": "NaN and Infinity are no JSON.",
    "NUMBER_TOO_LONG": "A number of more digits or bits than can be kept.",
    "TOO_DEEP": "Objects and arrays lie too deep in each other.",
    "BATCH_TOO_LARGE": "At most 1,000 at once.",
    "EMPTY_BATCH": "There is nothing in the batch.",
}
_TEXTS = {
    "PADDED_ID": "An id has blanks at its ends, or is not in normal form C.",
    "BIDI_CHARACTER": "A text holds a character that turns the direction of writing.",
    "HEADER_INJECTION": "A text holds an encoded word (=?…?=).",
    "START_IN_SPRING_GAP": "There is no such local time: the clocks jump over it.",
    "UNKNOWN_ZONE": "No zone of the IANA database and none of Windows.",
    "UNKNOWN_COUNTRY": "Not a two-letter country code such as GB.",
    "UNKNOWN_STATUS": "Not one of the statuses that the description lists.",
    "UNKNOWN_MODE": "Not one of the modes that the description lists.",
}
_EVENTS = {
    "SOURCE_REQUIRED": "This client speaks for several sources; name one.",
    "PATIENT_REQUIRED": "The first event of an appointment names its patient.",
    "CLINIC_REQUIRED": "The first event of an appointment names its clinic.",
    "START_REQUIRED": "An appointment of this status has a start.",
    "END_BEFORE_START": "The visit ends before it starts.",
    "UNKNOWN_CLINIC": "No clinic has this code; PUT /v1/clinics first.",
    "EVENT_ID_CONFLICT": "This event id was used for another body.",
    "SEQUENCE_CONFLICT": "Another event of this appointment has the same sequence.",
    "ILLEGAL_TRANSITION": "Steps are enforced for this source, and the state table lacks this one for the client.",
    "IDENTITY_CONFLICT": "The names given belong to two appointments.",
    "TOO_MANY_NAMES": "More names of one appointment or person than are kept.",
    "NOT_READ": "The command could not be read.",
    "IDENTITY_RACE": "Two met over one name. Send the same request again.",
    "KEY_RACE": "Two met over one event id or patient. Send the same request again.",
}
_DESK = {
    "OPERATOR_BOOKS_NOTHING": "The operator's key books nothing: use a client's.",
    "WHICH_VISITS": "Give ids, or a clinic and a day.",
    "WHERE_TO": "Give by_minutes, which is not 0, or to_day.",
    "DAY_OR_RANGE": "Name a day, or from and to.",
    "BAD_DAY": "Not a day such as 2027-03-12.",
    "ALREADY_CANCELLED": "The visit is cancelled, or entered in error, already.",
    "ALREADY_BEGUN": "The visit has begun, or its time has come: what became of it is told by an event.",
    "CHANGED_MEANWHILE": "The visit was moved since it was looked at.",
    "NOT_CLEARED": "The visit lacks what its clinic requires before check-in.",
    "START_PASSED": "A visit is not moved into the past.",
}
_TOPICS = {
    "KEY_MISMATCH": "The record's key is no name of its appointment.",
    "NO_CLIENT": "The topic is bound to no client: name it in BOOKING_INBOUND_CLIENTS or BOOKING_CLEARANCE_CLIENTS.",
    "UNKNOWN_CLIENT": "The topic is bound to a client that does not exist, or whose rights were taken back.",
}
_FHIR = {
    "NOT_AN_APPOINTMENT": "The body is no Appointment resource.",
    "NOT_A_MESSAGE": "The body is no message Bundle that begins with its MessageHeader.",
    "UNKNOWN_MESSAGE_EVENT": "The message is no booking-request.",
    "NO_APPOINTMENT": "The message's focus, or what the resource refers to, is no Appointment.",
    "SEVERAL_APPOINTMENTS": "The resource names several visits: send one for each.",
    "WRONG_RESOURCE": "The body is another resource than the path names.",
    "UNKNOWN_MODIFIER": "The resource has an extension that may turn its meaning round.",
    "NO_APPOINTMENT_ID": "The Appointment has neither identifier nor id.",
    "NO_PATIENT": "The resource names no patient.",
    "SEVERAL_PATIENTS": "The Appointment names several patients.",
    "SEVERAL_PROVIDERS": "Several clinicians, and nothing says which one is meant.",
    "NO_IDENTIFIER": "The resource has no identifier.",
    "INVALID_FHIR": "Not valid FHIR of the release in the path.",
    "FHIR_R4": "This is R4 and not R5.",
    "FHIR_R5": "This is R5 and not R4.",
    "FHIR_INVARIANT": "An invariant of the resource does not hold.",
}
_PEOPLE = {
    "BAD_PHONE": "Not a phone number that can be called.",
    "NOT_A_MOBILE": "A landline or service number takes no SMS and no WhatsApp.",
    "NO_COUNTRY": "A national number, and nothing says of which country.",
    "BAD_EMAIL": "Not an email address.",
    "UNREACHABLE_EMAIL": "An email address that no mail of ours reaches.",
    "TOO_MANY_ADDRESSES": "More addresses than are kept.",
    "BAD_MAIN_FILE": "Not of the form FILE-YYYY-NNNNNN.",
    "MAIN_FILE_TAKEN": "Another patient has this main file.",
    "MAIN_FILE_FIXED": "This patient has another main file.",
    "MAIN_FILE_EXHAUSTED": "All numbers of the year are issued.",
    "UNKNOWN_PATIENT": "No such patient, or none of this client's sources.",
    "UNKNOWN_PROVIDER": "No such clinician was entered, or none of this client's sources.",
    "UNSUPPORTED_MEDIA_TYPE": "A change in part is a JSON Merge Patch: application/merge-patch+json.",
    "SAME_PATIENT": "Both are one patient already.",
    "NOT_REGISTERED": "The patient to be kept was never registered: merge the other way.",
    "MERGED_AWAY": "The patient to be kept was merged into another: name that one.",
}
_CLINICS = {
    "ILLEGAL_CLINIC_CODE": "Two to ten capital letters and digits.",
    "BAD_WINDOW": "The window closes before it opens.",
    "BAD_URL": "Not an address that begins with https:// and a host that everybody finds.",
    "CLINIC_ZONE_FIXED": "A clinic keeps its zone; enter a new clinic.",
    "IDENTIFIER_TAKEN": "Another clinic has one of these identifiers.",
    "TOO_MANY_RULES": "More rules than a policy has.",
    "LEAD_REQUIRED": "Give either lead_hours or lead_days.",
    "DUPLICATE_RULE": "Another rule reminds at the same time; a day counts as 24 hours.",
    "SERVICE_TYPE_CONFLICT": "The body and the query name different service types.",
    "UNKNOWN_POLICY_VERSION": "This clinic has no policy change of this number.",
}
_READING = {
    "UNKNOWN_PROVIDER": "No provider has this id, here or at the client's source.",
    "UNKNOWN_APPOINTMENT": "No such appointment, or none of this client.",
    "UNKNOWN_FLAG": "No such flag, or none of a visit of this client.",
    "UNKNOWN_EVENT": "No event of this id was taken or refused for good.",
    "UNKNOWN_RECORD": "Nothing is known of such a record in a topic of this client.",
    "DISCARDED": "People have settled this record without effect; send its event again.",
    "REPLAY_FAILED": "The record cannot be read, or nothing here reads its topic any more.",
    "ONE_SUBJECT": "Name one: patient, or id with its source, or clinic.",
    "OTHER_PARTITIONS": "The topic has another number of partitions.",
}
_CLEARANCES = {
    "UNKNOWN_KIND": "The clinic has no clearance kind of this name.",
    "BAD_SLUG": "1 to 40 of a to z, 0 to 9 and hyphens.",
    "KIND_SHAPE_FIXED": "A clearance kind keeps its shape: name another kind.",
    "UNKNOWN_SHAPE": "Not one of the shapes that the description lists.",
    "UNKNOWN_STATE": "Not one of the states that the description lists.",
    "UNKNOWN_SIGNER": "A consent is signed by the patient or a guardian.",
    "DUPLICATE_REQUIREMENT": "The policy requires it twice.",
    "TOO_MANY_REQUIREMENTS": "More than a clearance policy has.",
    "NOT_OF_THIS_KIND": "A clearance of this kind has no such field, or no such state.",
    "NEGATIVE_AMOUNT": "An amount is 0 or more, in the smallest unit of its currency.",
    "UNKNOWN_CURRENCY": "Not a currency of ISO 4217 in use, such as GBP.",
    "CONSENT_OF_ANOTHER": "The consent, or another clearance, names a patient who is not the visit's.",
    "EXPIRED_BEFORE_SIGNED": "A consent that would have expired as it was signed.",
    "WITHDRAWN_BEFORE_SIGNED": "Nothing is withdrawn before it is signed.",
    "NOT_YET": "A time of the future, of what has happened.",
    "STATE_CONFLICT": "What has a withdrawn_at is withdrawn.",
    "UNKNOWN_FORM_VERSION": "The clinic's clearance policy never named this version of the form.",
    "VISIT_CANCELLED": "The visit is cancelled, or entered in error: nothing clears it.",
}
_HL7 = {
    "NOT_HL7": "The body is no message of HL7 v2: that begins with MSH.",
    "BAD_SEPARATORS": "MSH-1 and MSH-2 name no separators that can be told apart.",
    "BAD_CHARSET": "The bytes are of no character set that is known here.",
    "NO_MESSAGE_TYPE": "MSH-9 does not say what kind of message it is.",
    "NO_CONTROL_ID": "MSH-10 gives the message no id.",
    "TOO_LONG": "A message over MLLP is longer than is taken there.",
    "SEVERAL_MESSAGES": "Several messages where one is taken.",
}
_LACKS = {
    "MISSING": "Nothing was said of what the clinic requires.",
    "PENDING": "What the clinic requires was asked for, and is not there yet.",
    "REFUSED": "What the clinic requires was refused.",
    "WITHDRAWN": "What the clinic requires was withdrawn.",
    "EXPIRED": "What the clinic requires holds no longer.",
    "OLD_FORM": "The clinic requires another version of the form.",
}
"""Of NOT_CLEARED, one for each thing that lacks."""
CODES = {
    **_RIGHTS, **_BODIES, **_TEXTS, **_EVENTS, **_DESK, **_TOPICS, **_FHIR, **_PEOPLE, **_CLINICS, **_CLEARANCES,
    **_HL7, **_LACKS, **_READING,
}  # fmt: skip
