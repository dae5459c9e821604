"""Where everything lies in a dataset: the one place where a name's grammar stands, for writing and for reading.

    DATASET/
      dataset.json  recipe.yaml  index.parquet  report.html  contact_sheet.png  README.md
      status.json  status.html  control.json  logs/         of the runs that made it, no part of its content
      assets/<sha256>.blend                                 the artist's own double, where the recipe has one
      pairs/<variant>/f<frame>/noisy_<spp>spp_r<replica>.exr  reference.exr  data.exr  record.json
                               low_x<factor>_<spp>spp.exr  sample_<number>.exr

`<sha256>` is that of the file's bytes; `<variant>` is a variant's id (16 hex digits); frame and samples have at least
four digits, the replica two.
A pair has a `data.exr` where its recipe asks for passes that are of the frame itself, the same for all its images;
partners of low resolution, `low_…`, and single samples, `sample_…`, where its recipe asks for these.
A name that starts with a dot and ends in `.partial` is a file being written; `writer-<number>.lease` says that a run
writes into the dataset.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from farm.dataset.place import Place
from farm.recipe.character import ASSETS_FOLDER, asset_name

__all__ = [
    "ASSETS_FOLDER",
    "ASSET_NAME",
    "CARD_FILE",
    "CONTACT_SHEET_FILE",
    "CONTROL_FILE",
    "DATASET_FILE",
    "DATA_NAME",
    "INDEX_FILE",
    "LEASE_NAME",
    "LOGS_FOLDER",
    "NOISY_NAME",
    "PAIRS_FOLDER",
    "PAIR_PATH",
    "PARTIAL_NAME",
    "PARTNER_NAME",
    "RECIPE_FILE",
    "RECORD_NAME",
    "REFERENCE_NAME",
    "REPORT_FILE",
    "RUN_NAMES",
    "SAMPLE_NAME",
    "STATUS_FILE",
    "STATUS_PAGE",
    "TOP_FILES",
    "TOP_FOLDERS",
    "Name",
    "PairFolder",
    "asset_name",
    "image_kind",
    "noisy_name",
    "pair_key",
    "parse_noisy",
    "parse_pair_path",
    "parse_partner",
    "partner_name",
    "sample_name",
]

DATASET_FILE: Final = "dataset.json"
RECIPE_FILE: Final = "recipe.yaml"
INDEX_FILE: Final = "index.parquet"
REPORT_FILE: Final = "report.html"
CONTACT_SHEET_FILE: Final = "contact_sheet.png"
CARD_FILE: Final = "README.md"
TOP_FILES: Final = frozenset({DATASET_FILE, RECIPE_FILE, INDEX_FILE, REPORT_FILE, CONTACT_SHEET_FILE, CARD_FILE})

STATUS_FILE: Final = "status.json"
STATUS_PAGE: Final = "status.html"
CONTROL_FILE: Final = "control.json"
LOGS_FOLDER: Final = "logs"
RUN_NAMES: Final = frozenset({STATUS_FILE, STATUS_PAGE, CONTROL_FILE, LOGS_FOLDER})
"""What runs leave beside the content: how they stand, what they were told, the logs of what failed."""

PAIRS_FOLDER: Final = "pairs"
TOP_FOLDERS: Final = frozenset({PAIRS_FOLDER, ASSETS_FOLDER})
REFERENCE_NAME: Final = "reference.exr"
DATA_NAME: Final = "data.exr"
RECORD_NAME: Final = "record.json"


class Name:
    """A grammar of names, read from one format string: `Name("f{frame:04d}")` both writes and reads `f0012`.

    A field is a whole number `{x:04d}` (at least that many digits) or hex digits `{x:16x}` (exactly as many).
    """

    def __init__(self, grammar: str) -> None:
        self.grammar = grammar
        self._numbers: set[str] = set()
        pattern = ""
        for literal, field, spec, _ in string.Formatter().parse(grammar):
            pattern += re.escape(literal)
            if field:
                width = int(spec.rstrip("dx")) if spec else 0
                if spec and spec.endswith("d"):
                    self._numbers.add(field)
                    pattern += rf"(?P<{field}>\d{{{width},}})"
                else:
                    pattern += rf"(?P<{field}>[0-9a-f]{{{width}}})"
        self._pattern = re.compile(pattern, re.ASCII)

    def format(self, **values: str | int) -> str:
        """The name with these values; ValueError for a value that would not be read back as itself."""
        text = ""
        for literal, field, spec, _ in string.Formatter().parse(self.grammar):
            text += literal
            if field:
                value = values[field]
                text += format(value, spec or "") if field in self._numbers else str(value)
        if self._values(text) != values:
            raise ValueError(f"{values} does not fit the grammar {self.grammar}")
        return text

    def parse(self, text: str) -> dict[str, str | int] | None:
        """The values in a name, or None where it is not one that `format` writes."""
        values = self._values(text)
        if values is None:
            return None
        try:
            canonical = self.format(**values)
        except ValueError:
            return None
        return values if canonical == text else None

    def _values(self, text: str) -> dict[str, str | int] | None:
        match = self._pattern.fullmatch(text)
        if match is None:
            return None
        return {field: int(value) if field in self._numbers else value for field, value in match.groupdict().items()}


NOISY_NAME: Final = Name("noisy_{spp:04d}spp_r{replica:02d}.exr")
PARTNER_NAME: Final = Name("low_x{factor:02d}_{spp:04d}spp.exr")
SAMPLE_NAME: Final = Name("sample_{number:02d}.exr")
PAIR_PATH: Final = Name(PAIRS_FOLDER + "/{variant:16x}/f{frame:04d}")
ASSET_NAME: Final = Name("{sha256:64x}.blend")
LEASE_NAME: Final = Name("writer-{number:04d}.lease")
PARTIAL_NAME: Final = re.compile(r"\..+\.partial")


def noisy_name(spp: int, replica: int) -> str:
    """The name of a noisy image: `noisy_0004spp_r00.exr`."""
    return NOISY_NAME.format(spp=spp, replica=replica)


def parse_noisy(name: str) -> tuple[int, int] | None:
    """Samples per pixel and replica in the name of a noisy image, or None for another name."""
    values = NOISY_NAME.parse(name)
    return None if values is None else (int(values["spp"]), int(values["replica"]))


def partner_name(factor: int, spp: int) -> str:
    """The name of a partner of low resolution: `low_x02_0001spp.exr`."""
    return PARTNER_NAME.format(factor=factor, spp=spp)


def parse_partner(name: str) -> tuple[int, int] | None:
    """What a partner's resolution is divided by, and its samples per pixel; None for another name."""
    values = PARTNER_NAME.parse(name)
    return None if values is None else (int(values["factor"]), int(values["spp"]))


def sample_name(number: int) -> str:
    """The name of the image of a single sample of each pixel, from 0: `sample_00.exr`."""
    return SAMPLE_NAME.format(number=number)


def image_kind(name: str) -> str | None:
    """What an image of a pair is: `noisy`, `reference`, `data`, `partner` or `sample`; None for another name."""
    if name in (REFERENCE_NAME, DATA_NAME):
        return name.removesuffix(".exr")
    grammars = {"noisy": NOISY_NAME, "partner": PARTNER_NAME, "sample": SAMPLE_NAME}
    return next((kind for kind, grammar in grammars.items() if grammar.parse(name) is not None), None)


def pair_key(variant_id: str, frame: int) -> str:
    """A pair's folder inside its dataset, with forward slashes: `pairs/0123456789abcdef/f0012`."""
    return PAIR_PATH.format(variant=variant_id, frame=frame)


def parse_pair_path(path: str | PurePosixPath) -> tuple[str, int] | None:
    """Variant id and frame of a pair's folder, given relative to its dataset, or None for another folder."""
    values = PAIR_PATH.parse(str(path))
    return None if values is None else (str(values["variant"]), int(values["frame"]))


@dataclass(frozen=True)
class PairFolder:
    """The folder of one pair, and the files in it."""

    root: Place
    variant_id: str
    frame: int

    @property
    def key(self) -> str:
        """The folder relative to the dataset, with forward slashes."""
        return pair_key(self.variant_id, self.frame)

    @property
    def path(self) -> Place:
        """The folder itself; it is made when its first file is written."""
        return self.root / self.key

    @property
    def reference(self) -> Place:
        """The converged image."""
        return self.path / REFERENCE_NAME

    @property
    def data(self) -> Place:
        """The layers that are of the frame itself."""
        return self.path / DATA_NAME

    @property
    def record(self) -> Place:
        """The commit record, written last."""
        return self.path / RECORD_NAME

    def noisy(self, spp: int, replica: int) -> Place:
        """The noisy image with `spp` samples per pixel."""
        return self.path / noisy_name(spp, replica)
