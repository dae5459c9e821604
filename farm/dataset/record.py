"""The commit record: what a pair holds and how it was made. A pair is in the dataset once this file lies beside it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, JsonValue, ValidationError, model_validator

from farm.dataset.files import read_bytes, size_of
from farm.dataset.formats import Table, parse_json, write_json
from farm.dataset.layout import REFERENCE_NAME, PairFolder, image_kind, pair_key, parse_noisy
from farm.dataset.place import Place
from farm.errors import DatasetError, RenderError
from farm.recipe.parameters import SEED_MAX
from farm.recipe.variant import Variant, content_hash

__all__ = [
    "RECORD_FORMAT",
    "CameraRecord",
    "Commit",
    "Engine",
    "EngineBuild",
    "ImageFile",
    "Matrix4",
    "Record",
    "Residual",
    "View",
    "parse_commit",
    "parse_record",
    "read_record",
    "task_key",
    "write_record",
]

RECORD_FORMAT: Final = "digidouble-record/1"

Seed = Annotated[int, Field(ge=0, le=SEED_MAX)]
Row4 = tuple[float, float, float, float]
Matrix4 = tuple[Row4, Row4, Row4, Row4]


class EngineBuild(Table):
    """What makes the pixels: another program, kind of device or set of templates may make others."""

    renderer: str = "cycles"
    blender: str
    build_hash: str
    device: str = Field(description="Kind of device: cpu, optix, …")
    digidouble: str = Field(description="Digest of digidouble's version, templates and base mesh.")

    @property
    def label(self) -> str:
        """The build in words."""
        program = f"{self.renderer} of Blender {self.blender} ({self.build_hash})"
        return f"{program} on {self.device} with templates and base mesh {self.digidouble}"


class Engine(EngineBuild):
    """A build, and the very device it ran on."""

    device_name: str

    @property
    def build(self) -> EngineBuild:
        """The build alone."""
        return EngineBuild(**self.model_dump(exclude={"device_name"}))


class View(Table):
    """One camera's frame."""

    frame: int = Field(ge=0)
    resolution: tuple[int, int] = Field(description="Width and height in pixels.")


class ImageFile(Table):
    """One image of a pair: what its bytes are, and the random numbers in its light."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(gt=0)
    seeds: tuple[Seed, ...] = Field(min_length=1, description="Seeds of its light; the reference's halves in order.")
    samples: int = Field(gt=0, description="Samples per pixel of its light, over all seeds together.")
    jitter: tuple[float, float] | None = Field(
        default=None,
        description="Where in every pixel all its samples lie, from the pixel's centre, in its own pixels: X to the"
        " right, Y down. None where they are spread as the filter has it.",
    )


class Residual(Table):
    """How much noise the reference still holds."""

    relmse: float = Field(ge=0, description="relMSE of the reference's own noise, from its two halves.")
    best_noisy_relmse: float = Field(ge=0, description="relMSE against the reference of the least noisy image.")
    ratio: float = Field(ge=0, description="The first over the second.")
    threshold: float = Field(gt=0, description="What the recipe asks the ratio to stay under.")
    samples: int = Field(gt=0, description="Samples per pixel of both halves together.")
    converged: bool = Field(description="Whether the ratio got under the threshold before the cap.")


class CameraRecord(Table):
    """The camera of a view, as trainers read it."""

    matrix_world: Matrix4 = Field(description="Camera to world, row by row: +X right, +Y up, −Z forward; metres.")
    fl_x: float = Field(gt=0, description="Focal length in pixels, horizontal.")
    fl_y: float = Field(gt=0, description="Focal length in pixels, vertical.")
    cx: float = Field(description="Principal point in pixels from the left edge.")
    cy: float = Field(description="Principal point in pixels from the top edge.")
    focal_length: float = Field(gt=0, description="Millimetres.")
    sensor_width: float = Field(gt=0, description="Millimetres.")
    sensor_height: float = Field(gt=0, description="Millimetres.")


class Record(Table):
    """Everything about one committed pair, except its split, which is the recipe's (see the index)."""

    format: Literal["digidouble-record/1"] = RECORD_FORMAT
    task: str = Field(description="The task's key: see `task_key`.")
    recipe: str = Field(description="Digest of the recipe.")
    variant_id: str
    variant: Variant
    view: View
    files: dict[str, ImageFile]
    residual: Residual
    camera: CameraRecord
    settings: dict[str, JsonValue] = Field(description="What ran, read back from Blender.")
    engine: Engine
    timings: dict[str, float] = Field(
        description="Seconds by step, no step within another; the only part that differs from run to run."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Record:
        if self.variant_id != self.variant.id:
            raise ValueError(f"variant_id is {self.variant_id}, but its variant's content is {self.variant.id}")
        unknown = [name for name in self.files if image_kind(name) is None]
        if unknown:
            raise ValueError(f"files: '{unknown[0]}' is no image of a pair")
        if REFERENCE_NAME not in self.files or not any(parse_noisy(name) for name in self.files):
            raise ValueError(f"files: a pair needs {REFERENCE_NAME} and a noisy image, found {sorted(self.files)}")
        return self

    def folder(self, root: Place) -> PairFolder:
        """Where the pair lies in a dataset."""
        return PairFolder(root, self.variant_id, self.view.frame)


class _CommitFile(BaseModel):
    bytes: int = Field(gt=0)


class _CommitView(BaseModel):
    frame: int


class Commit(BaseModel):
    """What resuming needs of a record; the rest is left unread."""

    format: Literal["digidouble-record/1"]
    task: str
    recipe: str
    variant_id: str
    view: _CommitView
    files: dict[str, _CommitFile]


def task_key(variant: Variant, view: View, capture: Any, build: EngineBuild) -> str:
    """The key of one pair's work: equal variant, view, capture settings (plain data) and build, equal pixels."""
    return content_hash([variant.id, view.model_dump(mode="json"), capture, build.model_dump(mode="json")])


def read_record(path: Place) -> Record:
    """A commit record; DatasetError names the file and what is wrong with it."""
    return parse_record(path, read_bytes(path))


def parse_record(path: Place, data: bytes) -> Record:
    """A commit record from its bytes; errors as of `read_record`."""
    record = parse_json(path, data, Record, RECORD_FORMAT)
    folder = record.folder(path.parent.parent.parent.parent)
    if folder.record != path:
        raise DatasetError(f"{path}: belongs to {folder.key}")
    return record


def parse_commit(folder: PairFolder, data: bytes) -> Commit:
    """What resuming needs of the bytes of a pair's record; errors as of `read_record`.

    A hundred thousand records are parsed in a few seconds; that all of a record is right is for `check` to find.
    """
    try:
        commit = Commit.model_validate_json(data)
    except ValidationError:
        parse_json(folder.record, data, Record, RECORD_FORMAT)
        raise
    if (commit.variant_id, commit.view.frame) != (folder.variant_id, folder.frame):
        raise DatasetError(f"{folder.record}: belongs to {pair_key(commit.variant_id, commit.view.frame)}")
    return commit


def write_record(root: Place, record: Record) -> Place:
    """Commits a pair whose files are all in place; RenderError names what is not."""
    folder = record.folder(root)
    for name, entry in sorted(record.files.items()):
        path = folder.path / name
        size = size_of(path) or 0
        if size != entry.bytes:
            found = f"holds {size} bytes, its record says {entry.bytes}" if size else "is missing"
            raise RenderError(f"{path} {found}: the pair is not committed")
    write_json(folder.record, record)
    return folder.record
