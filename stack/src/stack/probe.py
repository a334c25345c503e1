"""Small questions to HTTP servers, mostly of this machine."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from stack.process import ProcessId


def get(url: str, timeout_s: float = 2) -> tuple[int, Any]:
    """Return the status and the JSON body of a GET; status 0 when nobody answers, body None when it is no JSON."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()
    try:
        return answer.status, json.loads(body)
    except ValueError:
        return answer.status, None


def another(url: str, body: Any, process: ProcessId | None) -> str:
    """Return who answers at an address in the place of our process, for people; empty if it is ours.

    Two installations beside each other may meet at one port while one of them restarts a part: that somebody answers
    there, and well, says nothing of ours.
    """
    if not isinstance(body, dict) or process is None or body.get("pid") == process.pid:
        return ""
    told = (str(body.get("service") or "something else"), str(body.get("installation") or ""))
    name = " of installation ".join(filter(None, told))
    return f"port {urlsplit(url).port} is answered by another: {name}, process {body.get('pid', 'unknown')}"


def reasons(body: Any) -> str:
    """Return why a service says that it is not ready, for people; empty if it does not say."""
    if not isinstance(body, dict):
        return ""
    told = body.get("reasons") or body.get("detail") or ""
    if isinstance(told, dict):
        return "; ".join(f"{name}: {why}" for name, why in told.items())
    return "; ".join(map(str, told)) if isinstance(told, list) else str(told)
