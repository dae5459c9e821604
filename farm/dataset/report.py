"""`report.html`, `contact_sheet.png` and `README.md`: a dataset to look at, from disk and without network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from farm.dataset import layout
from farm.dataset.card import compose_card
from farm.dataset.contact_sheet import Thumbnail, compose_sheet, label_lines
from farm.dataset.exr import read_image
from farm.dataset.files import replace_bytes
from farm.dataset.folder import Dataset
from farm.dataset.index import noisy_files, read_index
from farm.dataset.info import DatasetInfo, read_info, read_recipe, seal
from farm.dataset.metrics import beauty, relmse
from farm.dataset.place import Place
from farm.dataset.report_page import THUMBNAIL_SIDE, ShownPair, compose_page
from farm.dataset.views import FEATURE_VIEWS, depth_range, enlarge, shrink, view_beauty
from farm.errors import DatasetError
from farm.recipe import Recipe

__all__ = ["PAIRS_SHOWN", "PICTURE_SIDE", "THUMBNAILS_SHOWN", "state_license", "write_report"]

PAIRS_SHOWN: Final = 60
"""Pairs in the report; of a larger dataset, evenly spread ones."""

THUMBNAILS_SHOWN: Final = 120
"""Variants on the contact sheet; of a larger dataset, evenly spread ones."""

PICTURE_SIDE: Final = 768
"""Longest side of a picture in the report; larger images are shown at a half, a third and so on."""


def write_report(dataset: Dataset) -> Place:
    """Writes `report.html`, `contact_sheet.png` and the card `README.md` from index and images, and seals them.

    Raises DatasetError where there is no index, no committed pair, or an image that cannot be read.
    """
    root = dataset.root
    rows = read_index(root)
    if not rows:
        raise DatasetError(f"{root} has no committed pair to report on; render it first")
    recipe, info = read_recipe(root), read_info(root)
    page = compose_page(recipe, rows, [_shown(root, row) for row in _spread(rows, PAIRS_SHOWN)])
    replace_bytes(root / layout.CONTACT_SHEET_FILE, compose_sheet(_thumbnails(root, rows)))
    replace_bytes(root / layout.REPORT_FILE, page.encode("utf-8"))
    _write_card(root, info, recipe, rows)
    seal(root, info, layout.CONTACT_SHEET_FILE, layout.REPORT_FILE, layout.CARD_FILE)
    return root / layout.REPORT_FILE


def state_license(dataset: Dataset, license_: str) -> Place:
    """Puts a licence (SPDX name or URL) into `dataset.json`, where it stays, and writes the card anew."""
    root = dataset.root
    rows = read_index(root)
    if not rows:
        raise DatasetError(f"{root} has no committed pair to write a card of; render it first")
    info = read_info(root).model_copy(update={"license": license_})
    _write_card(root, info, read_recipe(root), rows)
    seal(root, info, layout.CARD_FILE)
    return root / layout.CARD_FILE


def _write_card(root: Place, info: DatasetInfo, recipe: Recipe, rows: Sequence[dict[str, Any]]) -> None:
    replace_bytes(root / layout.CARD_FILE, compose_card(info, recipe, rows).encode("utf-8"))


def _spread(rows: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(int))
    return [rows[place] for place in places]


def _thumbnails(root: Place, rows: Sequence[dict[str, Any]]) -> list[Thumbnail]:
    firsts = list({row["variant"]: row for row in reversed(rows)}.values())[::-1]
    thumbnails = []
    for row in _spread(firsts, THUMBNAILS_SHOWN):
        picture = view_beauty(read_image(root / row["pair"] / layout.REFERENCE_NAME))
        thumbnails.append(Thumbnail(enlarge(shrink(picture, THUMBNAIL_SIDE), THUMBNAIL_SIDE), label_lines(row)))
    return thumbnails


def _shown(root: Place, row: dict[str, Any]) -> ShownPair:
    folder = root / row["pair"]
    reference = read_image(folder / layout.REFERENCE_NAME)
    target = beauty(reference)
    pictures = {layout.REFERENCE_NAME: view_beauty(reference)}
    pictures |= {name: view(reference) for name, view in FEATURE_VIEWS.items()}
    errors = {}
    for file in noisy_files(row):
        noisy = read_image(folder / file["name"])
        pictures[file["name"]] = view_beauty(noisy)
        errors[file["name"]] = relmse(beauty(noisy), target)
    shown = {name: shrink(picture, PICTURE_SIDE) for name, picture in pictures.items()}
    return ShownPair(row=row, pictures=shown, errors=errors, depth=depth_range(reference))
