"""What a job carries: zips that are named by their content, so that a cluster gets each of them once.

    code     farm/, templates/ and recipe.yaml: the job's working directory, under a megabyte
    assets   one package a file that the user adds: digidouble_assets/NAME, on the job's and each worker's path; the
             recipe's own double is one of them, <SHA-256>.blend

A zip of equal files is equal bytes: entries are sorted, their times fixed. Its name is `_ray_pkg_<SHA-1>.zip`, which
is how Ray names a package that it keeps.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.errors import BadInput
from farm.recipe import Recipe, templates

__all__ = ["ASSETS", "LARGEST", "RECIPE_NAME", "Package", "asset", "pack_assets", "pack_code", "pack_double"]
__all__ += ["store_package"]

LARGEST: Final = 100 * 2**20
"""Bytes that a package must stay under to be kept by Ray itself (`GCS_STORAGE_MAX_SIZE`)."""
ASSETS: Final = "digidouble_assets"
"""The folder of assets, in any entry of Python's path."""
BESIDE: Final = f"{ASSETS}.txt"
"""A file beside that folder."""
RECIPE_NAME: Final = "recipe.yaml"
EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
LEFT_OUT: Final = ("__pycache__",)
SCHEMES: Final = ("s3", "gs", "abfss", "file")
"""From where Ray's nodes fetch a package by themselves."""
CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Package:
    """A zip on disk. `label` is what people call it."""

    label: str
    file: Path
    name: str
    bytes: int

    @property
    def uri(self) -> str:
        """Where the cluster finds it once it is uploaded."""
        return f"gcs://{self.name}"

    @property
    def fits(self) -> bool:
        """Whether Ray itself keeps a package of this size."""
        return self.bytes < LARGEST


def pack_code(recipe: Recipe, folder: Path) -> Package:
    """The package with this Digidouble, its templates (the user's own among them) and a recipe, in `folder`.

    The recipe is written as it is understood: comments and spelling make no other package.
    """
    package = Path(__file__).resolve().parents[2]
    shelf = templates.folder()
    files = {f"farm/{name}": path for name, path in _files(package) if not name.startswith("_templates/")}
    files |= {f"templates/{name}": path for name, path in _files(shelf)}
    files |= {f"templates/{name}": path for name, path in _own_files()}
    return _zip("code", files, folder, text={RECIPE_NAME: recipe.to_yaml()})


def _own_files() -> Iterator[tuple[str, Path]]:
    """The user's own templates, with the payloads of recordings beside them."""
    for kind in templates.kinds():
        for file in templates.own(kind).values():
            yield f"{kind}/{file.name}", file
            payload = file.with_suffix(".npz")
            if payload.is_file():
                yield f"{kind}/{payload.name}", payload


def pack_assets(paths: Iterable[Path], folder: Path) -> list[Package]:
    """A package for each file that goes along; BadInput names all that are missing, before anything is sent.

    A .blend is packed with all that it uses, by a Blender of its own.
    """
    paths = list(paths)
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise BadInput(f"no such file: {', '.join(missing)}")
    twice = sorted({path.name for path in paths if sum(other.name == path.name for other in paths) > 1})
    if twice:
        raise BadInput(f"two assets are called {twice[0]}: jobs find them by name; rename one")
    return [_pack_asset(path, folder) for path in paths]


def pack_double(packed: Path, folder: Path) -> Package:
    """The package of an artist's double, which is packed already and named by its content."""
    return _pack_files(packed.name, {packed.name: packed}, folder)


def _pack_asset(path: Path, folder: Path) -> Package:
    if path.suffix == ".blend":
        from farm.cluster.jobs.blend import collect_blend

        files = dict(_files(collect_blend(path)))
    else:
        files = {path.name: path}
    return _pack_files(path.name, files, folder)


def _pack_files(label: str, files: dict[str, Path], folder: Path) -> Package:
    # Ray strips a folder that is alone at the root of a zip from a store, and none from one that it keeps itself.
    return _zip(label, {f"{ASSETS}/{name}": file for name, file in files.items()}, folder, text={BESIDE: label})


def asset(name: str) -> Path:
    """An asset's place, in a job and in its workers; BadInput where it did not come along."""
    spec = importlib.util.find_spec(ASSETS)
    for entry in (spec.submodule_search_locations if spec else None) or ():
        path = Path(entry) / name
        if path.is_file():
            return path
    raise BadInput(f"the asset '{name}' did not come with the job: submit it with --asset {name}")


def store_package(package: Package, store: str) -> str:
    """Put a package into an object store or a shared folder, once; returns the URI from which nodes fetch it.

    `store` is a URL such as `s3://bucket/assets`, or the full path of a folder that every node mounts. BadInput for a
    URL that Ray's nodes cannot fetch from, StorageError where it cannot be written.
    """
    url = f"file://{store}" if Path(store).is_absolute() else store
    scheme = url.partition("://")[0]
    if "://" not in url or scheme not in SCHEMES:
        raise BadInput(
            f"{store}: assets go to s3://…, gs://…, abfss://… or a folder that every node mounts, by its full path"
        )
    from farm.dataset.files import replacing, size_of
    from farm.dataset.place import open_place

    target = open_place(url.rstrip("/")) / package.name
    if size_of(target) != package.bytes:
        with replacing(target) as partial:
            shutil.copyfile(package.file, partial)
    return f"{url.rstrip('/')}/{package.name}"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file under a folder with its name from there, sorted."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each not in LEFT_OUT and not each.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(".pyc"):
                path = Path(place) / name
                yield path.relative_to(folder).as_posix(), path


def _zip(label: str, files: dict[str, Path], folder: Path, text: dict[str, str] | None = None) -> Package:
    """A zip of files by their names in it, named by its own bytes."""
    draft = folder / f"{label}.zip.partial"
    entries: dict[str, Path | str] = {**files, **(text or {})}
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(entries):
            content = entries[name]
            info = zipfile.ZipInfo(name, EARLIEST)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as sink:
                if isinstance(content, str):
                    sink.write(content.encode())
                    continue
                with content.open("rb") as source:
                    while block := source.read(CHUNK):
                        sink.write(block)
    digest = hashlib.sha1(usedforsecurity=False)
    with draft.open("rb") as source:
        while block := source.read(CHUNK):
            digest.update(block)
    name = f"_ray_pkg_{digest.hexdigest()}.zip"
    file = draft.rename(folder / name)
    return Package(label, file, name, file.stat().st_size)
