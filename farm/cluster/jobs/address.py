"""Where a cluster answers, and which clusters may be talked to.

An open Jobs API lets anybody run anything on the cluster (ShadowRay, CVE-2023-48022), and a token on a plain line is
anybody's. So two things are refused, unless they are allowed in so many words: a cluster that is not on this machine
and asks for no token, and a token over plain HTTP to another machine. A tunnel (`ssh -L`, `kubectl port-forward`)
brings a cluster to this machine and needs neither.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from farm.errors import BadInput

__all__ = ["Address", "check_authentication", "check_token_line", "parse_address"]

PORTS: Final = {"http": 8265, "https": 443}
"""The port of each scheme where none is given: Ray's dashboard, and HTTPS's own."""
TUNNEL: Final = "ssh -L 8265:localhost:8265 HEAD"


@dataclass(frozen=True)
class Address:
    """The base of a cluster's dashboard: `url` without a slash at its end."""

    url: str
    host: str
    secure: bool

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, or a tunnel that begins here."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """An address as people write it: `http://HOST`, `https://HOST/ray`, `HOST:8265`; BadInput for what is none."""
    text = text.strip()
    if text.startswith("ray://"):
        raise BadInput(f"{text} is for Ray Client; give the dashboard's address, such as http://HOST:8265")
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"{text!r} is no address: {error}; write http://HOST:8265") from None
    if parts.scheme not in PORTS:
        raise BadInput(f"{text!r}: {parts.scheme}:// is not spoken by Ray's dashboard; write http:// or https://")
    if parts.username or parts.password:
        raise BadInput("an address must hold no user and password, it ends up in logs; use a token (docs/farm.md)")
    if not parts.hostname or any(letter.isspace() for letter in text) or parts.query or parts.fragment:
        raise BadInput(f"{text!r} is no address of a dashboard; write http://HOST:8265")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/")
    url = f"{parts.scheme}://{host}:{port or PORTS[parts.scheme]}{path}"
    return Address(url, parts.hostname, parts.scheme == "https")


def check_authentication(address: Address, mode: str, *, allow_open_cluster: bool = False) -> None:
    """Refuse a cluster of another machine that answers everybody; BadInput says what to do.

    `mode` is what `/api/authentication_mode` told.
    """
    if mode == "disabled" and not address.loopback and not allow_open_cluster:
        raise BadInput(
            f"{address.url} has authentication disabled: whoever reaches it runs what they like on it. Start Ray there"
            " with RAY_AUTH_MODE=token, or accept it with --allow-open-cluster"
        )


def check_token_line(address: Address, *, allow_plain_token: bool = False) -> None:
    """Refuse to send a token to another machine where all on the way can read it; BadInput says what to do."""
    if not address.secure and not address.loopback and not allow_plain_token:
        raise BadInput(
            f"{address.url} is plain HTTP: all on the way would read the token. Give an https:// address, bring it here"
            f" with `{TUNNEL}` and use http://localhost:8265, or accept it with --allow-plain-token"
        )
