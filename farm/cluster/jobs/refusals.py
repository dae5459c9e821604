"""What a cluster's refusals and silences mean, in one line that says what to do."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Final
from urllib.error import URLError

from farm.cluster.jobs.address import Address
from farm.cluster.jobs.tokens import Token

__all__ = ["refusal", "silence"]

ERROR: Final = re.compile(r"[\w.]*(Error|Exception)\b.*:")
GATEWAY: Final = "is a proxy that does not reach the cluster: is the head node up?"
MEANINGS: Final = {
    401: "asks for a token, and none was sent: set RAY_AUTH_TOKEN, or put it into ~/.ray/auth_token with mode 0600;"
    " `ray get-auth-token` on the head node prints it",
    405: "takes the request for a browser's: a proxy on the way adds Origin, Referer or User-Agent",
    413: "finds the upload too large: a proxy on the way has a limit under 100 MiB",
    502: GATEWAY,
    503: GATEWAY,
    504: GATEWAY,
}
"""What a status means, after the cluster's address."""


def refusal(address: Address, token: Token | None, code: int, said: str, *, location: str | None) -> str:
    """What an HTTP status means; `said` is the answer's text, `location` where it redirects to."""
    if 300 <= code < 400:
        meaning = f"redirects to {location or 'elsewhere'}, which is not followed: give that address"
    elif code == 403 and token is not None:
        meaning = f"does not take the token from {token.source}: `ray get-auth-token` on its head node prints it"
    else:
        meaning = MEANINGS.get(code) or f"failed: {_reason(said)}"
    return f"{address.url} {meaning} ({code})"


def silence(address: Address, error: Exception, timeout: float) -> str:
    """Why no answer came."""
    url = address.url
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return f"{url} gave no answer within {timeout:.0f} s: is the cluster up, and the way to it open?"
    if isinstance(reason, ConnectionRefusedError):
        return f"nothing answers at {url} (connection refused): is the cluster up, and the tunnel to it open?"
    if isinstance(reason, socket.gaierror):
        return f"the host '{address.host}' is not known here: look at the spelling, or at the VPN"
    if isinstance(reason, ssl.SSLError):
        return f"{url}: no trust in its certificate: {reason.reason or reason}; SSL_CERT_FILE may name your own bundle"
    return f"{url} cannot be reached: {getattr(reason, 'strerror', None) or reason}"


def _reason(text: str) -> str:
    """The line of an answer that says what is wrong: of a traceback the error's own."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if ERROR.match(line)]
    return (errors or lines or ["no reason given"])[-1][:300]
