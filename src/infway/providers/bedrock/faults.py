"""Errors of Amazon Bedrock: the exception's own name first, then status and text.

Names: https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
and https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

import re
from collections.abc import Mapping

from infway.kernel.faults import Failure, Fault
from infway.providers.eventstream import Message
from infway.providers.faults import clean, fault_named, retry_after
from infway.providers.shapes import Object, as_count, as_object, as_text, as_word, read_object

CODES: Mapping[str, Fault] = {
    "throttlingexception": Fault.RATE_LIMITED,
    "toomanyrequestsexception": Fault.RATE_LIMITED,
    "servicequotaexceededexception": Fault.PROVIDER_QUOTA,
    "modelnotreadyexception": Fault.OVERLOADED,
    "serviceunavailableexception": Fault.OVERLOADED,
    "serviceunavailable": Fault.OVERLOADED,
    "modeltimeoutexception": Fault.TTFT_TIMEOUT,
    "modelerrorexception": Fault.HTTP_5XX,
    "modelstreamerrorexception": Fault.HTTP_5XX,
    "internalserverexception": Fault.HTTP_500,
    "internalfailure": Fault.HTTP_500,
    "resourcenotfoundexception": Fault.MODEL_MISSING,
    "unknownoperationexception": Fault.MODEL_MISSING,
    "accessdeniedexception": Fault.PROVIDER_AUTH,
    "accessdenied": Fault.PROVIDER_AUTH,
    "notauthorized": Fault.PROVIDER_AUTH,
    "optinrequired": Fault.PROVIDER_AUTH,
    "unrecognizedclientexception": Fault.PROVIDER_AUTH,
    "invalidclienttokenid": Fault.PROVIDER_AUTH,
    "invalidsignatureexception": Fault.PROVIDER_AUTH,
    "signaturedoesnotmatch": Fault.PROVIDER_AUTH,
    "incompletesignatureexception": Fault.PROVIDER_AUTH,
    "incompletesignature": Fault.PROVIDER_AUTH,
    "missingauthenticationtokenexception": Fault.PROVIDER_AUTH,
    "missingauthenticationtoken": Fault.PROVIDER_AUTH,
    "expiredtokenexception": Fault.PROVIDER_AUTH,
    "expiredtoken": Fault.PROVIDER_AUTH,
    "requestexpired": Fault.PROVIDER_AUTH,
    "requestentitytoolargeexception": Fault.PAYLOAD_TOO_LARGE,
}

# A name that covers several meanings, told apart by the text: the first that is found counts.
_REFUSED = ("", "validationexception")
MEANINGS: tuple[tuple[tuple[str, ...], re.Pattern[str], Fault], ...] = (
    (
        _REFUSED,
        re.compile(
            r"input is too long|tokens exceeds? (the )?max|exceeds? (the )?context limit"
            r"|reduce the length of the (prompt|input)|prompt is too long",
            re.IGNORECASE,
        ),
        Fault.CONTEXT_LENGTH,
    ),
    (
        _REFUSED,
        re.compile(
            r"model identifier is invalid|on-demand throughput isn.t supported"
            r"|operation is not supported for (this|the) model|end of its life",
            re.IGNORECASE,
        ),
        Fault.MODEL_MISSING,
    ),
    (_REFUSED, re.compile(r"content filter", re.IGNORECASE), Fault.CONTENT_FILTER),
    (
        ("accessdeniedexception",),
        re.compile(r"access to (the|this) model", re.IGNORECASE),
        Fault.MODEL_MISSING,
    ),
)
# What a status says where no name comes with it; `Too many tokens` is about a rate then
_STATUSES: Mapping[int, str] = {
    424: "modelerrorexception",
    408: "modeltimeoutexception",
    429: "throttlingexception",
    503: "serviceunavailableexception",
}


def fault_of(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """Return the failure that an HTTP error reply means."""
    said = read_object(body) or {}
    name = as_text(headers.get("x-amzn-errortype")) or _name_in(said)
    return _failure(status, name, said, headers)


def inband_fault(name: str, said: Object) -> Failure:
    """Return the failure that an exception inside a 200 means, as an event or as a body.

    `said`: what stands in it.
    """
    found = _failure(0, name or _name_in(said), said, {})
    is_vague = found.fault is Fault.UPSTREAM_4XX and _plain(name) != "validationexception"
    fault = Fault.INBAND_ERROR if is_vague else found.fault
    return Failure(fault, as_count(said.get("originalStatusCode")) or 200, found.message)


def exception_in(message: Message) -> Failure:
    """Return the failure that a message of a stream means; an `error` has its words in headers."""
    headers = message.headers
    name = as_text(headers.get(":exception-type") or headers.get(":error-code"))
    said = read_object(message.payload) or {"message": headers.get(":error-message")}
    return inband_fault(name, said)


def is_error(said: Object) -> bool:
    """Tell whether a body inside a 200 is an exception."""
    return bool(_name_in(said)) or ("message" in said and "output" not in said)


def _failure(status: int, name: str, said: Object, headers: Mapping[str, str]) -> Failure:
    message = clean(as_word(said.get("originalMessage")) or _message_in(said))
    word = _plain(name) or _STATUSES.get(status, "")
    fault = _meaning(word, message or "") or fault_named(status, (word,), message, CODES)
    return Failure(fault, status, message, retry_after=retry_after(headers))


def _meaning(word: str, message: str) -> Fault | None:
    found = (
        fault for names, pattern, fault in MEANINGS if word in names and pattern.search(message)
    )
    return next(found, None)


def _name_in(said: Object) -> str:
    inner = as_object(said.get("Output"))
    return as_text(said.get("__type") or said.get("code") or inner.get("__type"))


def _message_in(said: Object) -> str:
    return as_text(said.get("message") or said.get("Message") or said.get("errorMessage"))


def _plain(name: str) -> str:
    """Return a name without its namespace and what AWS adds after a colon, in lower case."""
    return name.partition(":")[0].rpartition("#")[2].strip().lower()
