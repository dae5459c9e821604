"""The clusters that a user knows by name: `clusters.yaml` in the user's configuration folder.

    default: studio
    clusters:
      studio:
        url: http://localhost:8265         # the dashboard, or the near end of a tunnel to it
        out: s3://studio-datasets          # datasets go to OUT/RECIPE when --out is not given
        assets_store: s3://studio-assets
        python: python                     # on the nodes
        environment: {AWS_REGION: eu-central-1}
        allow_open_cluster: false
        allow_plain_token: false

`DIGIDOUBLE_CLUSTERS` names another file. It holds no tokens, and one that does is refused: `farm.cluster.jobs.tokens`
says where they are looked for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from farm.errors import BadInput
from farm.places import config_folder
from farm.recipe.templates import nearest

__all__ = ["Profile", "Profiles", "load_profiles", "profiles_file"]

VARIABLE: Final = "DIGIDOUBLE_CLUSTERS"


class Profile(BaseModel):
    """A cluster."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="The dashboard's address.")
    out: str | None = Field(default=None, description="Where datasets go: OUT/RECIPE.")
    assets_store: str | None = Field(default=None, description="Where large assets go.")
    python: str = Field(default="python", description="The interpreter on the nodes.")
    environment: dict[str, str] = Field(default_factory=dict, description="Variables of the job and its workers.")
    allow_open_cluster: bool = Field(default=False, description="Use it although it answers everybody.")
    allow_plain_token: bool = Field(default=False, description="Send the token over plain HTTP.")


class Profiles(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: str | None = None
    clusters: dict[str, Profile] = Field(default_factory=dict)

    def find(self, word: str | None) -> Profile:
        """The profile that a word names, or one of an address; without a word the default. BadInput for neither."""
        if word is None:
            word = self.default or (next(iter(self.clusters)) if len(self.clusters) == 1 else None)
            if word is None:
                raise BadInput(f"which cluster? Give --cluster an address or a name, or a default in {profiles_file()}")
        if word in self.clusters:
            return self.clusters[word]
        if "://" in word or ":" in word or "." in word or word == "localhost":
            return Profile(url=word)
        raise BadInput(f"no cluster '{word}' in {profiles_file()}{nearest(word, list(self.clusters))}")


def profiles_file() -> Path:
    """Where the profiles are."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).expanduser()
    return config_folder() / "clusters.yaml"


def load_profiles() -> Profiles:
    """The user's profiles, none where there is no file; BadInput, one line, for a file that is wrong."""
    file = profiles_file()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Profiles()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}") from None
    try:
        return Profiles.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise BadInput(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise BadInput(f"{file}: {_explain(error.errors()[0])}") from None


def _explain(detail: Any) -> str:
    where = ".".join(str(step) for step in detail["loc"])
    if detail["type"] != "extra_forbidden":
        return f"{where}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    word = str(detail["loc"][-1])
    if "token" in word or "password" in word:
        return f"{where}: no secrets in this file; put the token into ~/.ray/auth_token with mode 0600"
    return f"unknown key '{where}'{nearest(word, [*Profile.model_fields, *Profiles.model_fields])}"
