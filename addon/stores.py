"""Object stores that datasets lie in, as far as Blender's preferences let the add-on speak to them."""

from __future__ import annotations

import os
from typing import Final

import bpy

from farm.cluster.jobs import parse_address
from farm.errors import BadInput

from .preferences import OFFLINE

__all__ = ["require_store_online", "store_is_here"]

ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Where S3's client finds the address of a store that is not Amazon's; the first that is set counts."""


def store_is_here(url: str) -> bool:
    """Whether a store answers on this machine: S3, at an address of the environment's that is this machine's.

    One that is named elsewhere, in a file or in fsspec's own settings, is taken to be on the network.
    """
    ours = any(name.startswith(("FSSPEC_S3", "AWS_IGNORE_CONFIGURED")) for name in os.environ)
    if not url.startswith("s3://") or ours:
        return False
    address = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
    try:
        return bool(address) and parse_address(address).loopback
    except BadInput:
        return False


def require_store_online(url: str) -> None:
    """BadInput where Blender's preferences do not let the add-on speak to the store of `url`; a folder is free."""
    if "://" in url and not bpy.app.online_access and not store_is_here(url):
        raise BadInput(OFFLINE)
