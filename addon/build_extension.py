"""`make extension`: the add-on, Digidouble itself and what it needs, packed as Blender extensions in `dist/`.

    python addon/build_extension.py [PLATFORM …]

A folder is staged with the add-on, the manifest and wheels, and given to Blender's own builder and validator. The
platform `system` is for a Blender on the system's Python: it carries no binary wheels, so that Python must have
numpy, pydantic, scipy and PyYAML. `PLATFORM-denoiser` carries ONNX Runtime as well, which runs exported denoisers.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
DIST: Final = ROOT / "dist"
PYTHON: Final = "3.13"
"""The Python of Blender 5.2; numpy comes with Blender."""

TAGS: Final[dict[str, tuple[str, ...]]] = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_12_0_arm64", "macosx_11_0_arm64", "macosx_14_0_arm64"),
}
"""Blender's name of a platform -> the tags of wheels that run on it."""
SYSTEM: Final = "system"
DENOISER: Final = "-denoiser"

PURE: Final = ("anny==0.6.2", "threadpoolctl==3.8.0")
BINARY: Final = (
    "pydantic==2.14.3",
    "pydantic-core",
    "annotated-types",
    "typing-extensions",
    "typing-inspection",
    "pyyaml==6.0.3",
    "scipy==1.18.1",
)
"""What the preview needs. Rendering is done by an installed `digidouble`, in processes of its own."""
RUNTIME: Final = ("onnxruntime==1.32.0",)
"""What runs an exported denoiser; of its own needs, numpy alone is used."""
THUMBNAILS: Final = {"hairstyles": 1, "beards": 1, "poses": 1, "stunts": 3, "expressions": 0, "wardrobe": 0}
"""Kinds with a sheet in the docs, and which picture of a row is cut out of it."""
LEFT_OUT: Final = (Path(__file__).name, "__pycache__")


def build(platforms: Sequence[str], dist: Path = DIST) -> list[Path]:
    """Build, validate and return one extension for each platform."""
    blender = _blender_folder()
    with tempfile.TemporaryDirectory(prefix="digidouble-extension-") as scratch:
        pure = Path(scratch) / "pure"
        _pip("wheel", "--no-deps", "--wheel-dir", str(pure), str(ROOT))
        _pip("download", "--no-deps", "--only-binary=:all:", "--dest", str(pure), *PURE)
        return [_build_one(platform, pure, Path(scratch) / platform, dist, blender) for platform in platforms]


def _build_one(platform: str, pure: Path, stage: Path, dist: Path, blender: Path) -> Path:
    shutil.copytree(ROOT / "addon", stage, ignore=shutil.ignore_patterns(*LEFT_OUT))
    shutil.copyfile(ROOT / "LICENSE", stage / "LICENSE")
    _cut_thumbnails(stage / "thumbnails")
    wheels = stage / "wheels"
    shutil.copytree(pure, wheels)
    name, denoises = platform.removesuffix(DENOISER), platform.endswith(DENOISER)
    if name != SYSTEM:
        tags = [part for tag in TAGS[name] for part in ("--platform", tag)]
        _pip(
            "download", "--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON, *tags,
            "--dest", str(wheels), *_pinned((*BINARY, *RUNTIME) if denoises else BINARY),
        )  # fmt: skip
    manifest = (ROOT / "blender_manifest.toml").read_text(encoding="utf-8")
    (stage / "blender_manifest.toml").write_text(_complete(manifest, name, wheels), encoding="utf-8")
    target = dist / f"digidouble-{tomllib.loads(manifest)['version']}-{platform}.zip"
    dist.mkdir(parents=True, exist_ok=True)
    _official(blender, "build", f"--source-dir={stage}", f"--output-filepath={target}")
    _official(blender, "validate", str(target))
    return target


def _cut_thumbnails(folder: Path) -> None:
    """Cut a picture of each template out of the sheets that the docs show."""
    from PIL import Image

    from farm.recipe import templates
    from farm.render.sheet import cut_sheet

    for kind, number in THUMBNAILS.items():
        (folder / kind).mkdir(parents=True)
        with Image.open(ROOT / "docs" / "images" / f"{kind}.png") as sheet:
            pictures = cut_sheet(sheet.convert("RGB"), kind, templates.names(kind), number)
        for name, picture in pictures.items():
            picture.save(folder / kind / f"{name}.png", optimize=True)
    _draw_none().save(folder / "stunts" / "none.png", optimize=True)


def _draw_none() -> Any:
    """The picture of no stunt: a crossed circle."""
    from PIL import Image, ImageDraw

    size, ink, line = 176, (120, 120, 124), 9
    tile = Image.new("RGB", (size, size), (46, 46, 49))
    draw = ImageDraw.Draw(tile)
    draw.ellipse((52, 52, size - 52, size - 52), outline=ink, width=line)
    draw.line((64, size - 64, size - 64, 64), fill=ink, width=line)
    return tile


def _pinned(names: Sequence[str]) -> list[str]:
    """The packages, those without a version at the one that this environment has, which fit each other."""
    return [name if "==" in name else f"{name}=={importlib.metadata.version(name)}" for name in names]


def _complete(manifest: str, platform: str, wheels: Path) -> str:
    """The manifest with the staged wheels and the platform, which stand before its first table."""
    listed = ",\n".join(f'  "./wheels/{file.name}"' for file in sorted(wheels.glob("*.whl")))
    lines = f"wheels = [\n{listed},\n]\n\n"
    if platform != SYSTEM:
        lines = f'platforms = ["{platform}"]\n{lines}'
    head, table, tail = manifest.partition("[permissions]")
    return head + lines + table + tail


def _blender_folder() -> Path:
    """The folder of Blender's scripts inside the bpy package, which is found without loading it."""
    spec = importlib.util.find_spec("bpy")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("error: the package bpy is missing; run `make setup`")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("*/scripts"))
    if not found:
        raise SystemExit("error: the package bpy has no scripts; install it again")
    return found[0]


def _official(scripts: Path, command: str, *arguments: str) -> None:
    tool = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    tags = scripts / "modules" / "_bpy_internal" / "extensions" / "tags.py"
    _run(sys.executable, str(tool), command, f"--valid-tags={tags}", *arguments)


def _pip(*arguments: str) -> None:
    _run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command[:6])} …\n{done.stdout}{done.stderr}")


def main() -> None:
    """Build for the platforms that are named, or for all."""
    known = (*TAGS, SYSTEM, *(f"{name}{DENOISER}" for name in TAGS))
    platforms = sys.argv[1:] or [*TAGS, SYSTEM]
    for name in platforms:
        if name not in known:
            raise SystemExit(f"error: unknown platform '{name}'; known: {', '.join(known)}")
    for file in build(platforms):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 2**20:.0f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
