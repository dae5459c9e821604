"""The parameters of a variant: the one place where a name, unit, range, default and help text stand.

Each class is one axis of a variant, with no randomness left in it. The recipe's axes (a value or a
distribution per field), the JSON Schema, the CLI's tables and the add-on's properties are made from these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "AXES",
    "NO_STUNT",
    "OWN_FACE",
    "OWN_POSE",
    "PARAMETERS",
    "SEED_MAX",
    "Axis",
    "Beard",
    "Body",
    "Camera",
    "Face",
    "Hair",
    "Light",
    "Parameter",
    "Pose",
    "Rig",
    "Skin",
    "Stunt",
    "Value",
    "Wardrobe",
]

SEED_MAX: Final = 2**31 - 1

OWN_FACE: Final = -1
"""The face seed that stands for the identity's own."""

NO_STUNT: Final = "none"
"""The stunt that is none: valid whatever the templates."""

OWN_POSE: Final = "own"
"""The pose that a stunt's template says."""

Value = bool | int | float | str
"""What a parameter's value can be."""


def _parameter(
    default: Any,
    description: str,
    *,
    unit: str = "",
    template: str = "",
    drawn: bool = False,
    needs: str = "",
    **bounds: Any,
) -> Any:
    """A field that carries its unit, the kind of template it names, and whether it is drawn when left out."""
    marks: dict[str, Any] = {"x-unit": unit, "x-template": template, "x-drawn": drawn, "x-needs": needs}
    return Field(
        default,
        description=description,
        json_schema_extra={key: value for key, value in marks.items() if value},
        **bounds,
    )


class Axis(BaseModel):
    """Frozen plain data; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


class Body(Axis):
    """Who is on stage."""

    identity: int = _parameter(
        0,
        "Seed of the person: equal seeds, equal people. Drawn when left out.",
        drawn=True,
        ge=0,
        le=SEED_MAX,
    )
    face: int = _parameter(
        OWN_FACE,
        "Seed of the face's own details, to vary it alone; -1 is the identity's own face.",
        ge=OWN_FACE,
        le=SEED_MAX,
    )
    age: float = _parameter(30.0, "Age.", unit="year", ge=18, le=80)
    gender: float = _parameter(0.5, "0 is female, 1 is male; values between blend the two shapes.", ge=0, le=1)
    height: float = _parameter(1.72, "Standing height without hair.", unit="m", ge=1.45, le=2.05)
    weight: float = _parameter(0.5, "Body fat: 0 is the thinnest shape, 0.5 the average, 1 the heaviest.", ge=0, le=1)
    muscle: float = _parameter(0.5, "Muscle: 0 is the least, 0.5 the average, 1 the most.", ge=0, le=1)
    african: float = _parameter(
        1.0, "Share of African ancestry in the shape; the three shares are normalised.", ge=0, le=1
    )
    asian: float = _parameter(1.0, "Share of Asian ancestry in the shape.", ge=0, le=1)
    caucasian: float = _parameter(1.0, "Share of Caucasian ancestry in the shape.", ge=0, le=1)

    @model_validator(mode="after")
    def _has_ancestry(self) -> Body:
        if not self.african + self.asian + self.caucasian > 0:
            raise ValueError("african, asian and caucasian are all 0; give one of them a share")
        return self


class Skin(Axis):
    """What the skin and the eyes look like."""

    tone: float = _parameter(5.0, "Monk Skin Tone: 1 is the lightest, 10 the darkest.", ge=1, le=10)
    gloss: float = _parameter(0.4, "How much the skin shines: 0 is powdered, 1 is wet.", ge=0, le=1)
    freckles: float = _parameter(0.0, "Freckles: 0 is none, 1 is densely freckled.", ge=0, le=1)
    sweat: float = _parameter(0.0, "Sweat: 0 is dry, 1 is drenched.", ge=0, le=1)
    dirt: float = _parameter(0.0, "Dust and mud: 0 is clean, 1 is caked.", ge=0, le=1)
    eyes: str = _parameter("brown", "Colour of the iris.", template="eyes")


class Face(Axis):
    """What the face does."""

    expression: str = _parameter("neutral", "Expression.", template="expressions")
    strength: float = _parameter(1.0, "How far the expression goes: 0 is a face at rest.", ge=0, le=1)
    second: str = _parameter("neutral", "Expression that the first is blended with.", template="expressions")
    blend: float = _parameter(0.0, "Share of the second expression: 0 is the first alone.", ge=0, le=1)


class Wardrobe(Axis):
    """What the double wears."""

    outfit: str = _parameter("stunt_suit", "Garments.", template="wardrobe")
    upper_cloth: str = _parameter("technical", "Material of the upper garment.", template="cloths")
    upper_hue: float = _parameter(
        212.0, "Hue of the upper garment: 0 is red, 120 green, 240 blue.", unit="deg", ge=0, le=360
    )
    upper_saturation: float = _parameter(0.19, "How colourful the upper garment is: 0 is grey.", ge=0, le=1)
    upper_value: float = _parameter(0.28, "How light the upper garment is: 0 is black.", ge=0, le=1)
    lower_cloth: str = _parameter("technical", "Material of the lower garment.", template="cloths")
    lower_hue: float = _parameter(
        216.0, "Hue of the lower garment: 0 is red, 120 green, 240 blue.", unit="deg", ge=0, le=360
    )
    lower_saturation: float = _parameter(0.24, "How colourful the lower garment is: 0 is grey.", ge=0, le=1)
    lower_value: float = _parameter(0.16, "How light the lower garment is: 0 is black.", ge=0, le=1)


class Hair(Axis):
    """The groom of the head."""

    style: str = _parameter("short", "Hairstyle.", template="hairstyles")
    seed: int = _parameter(
        0, "Seed of the strands: equal seeds, equal strands. Drawn when left out.", drawn=True, ge=0, le=SEED_MAX
    )
    type: str = _parameter(
        "2A", "Walker type: 1 is straight, 2 wavy, 3 curly, 4 coily; A loose to C tight.", template="hairtypes"
    )
    melanin: float = _parameter(0.75, "Pigment: 0 is white, 0.3 blond, 0.6 brown, 1 black.", ge=0, le=1)
    redness: float = _parameter(0.3, "Pheomelanin share of the pigment: 0 is ashen, 1 is red.", ge=0, le=1)
    grey: float = _parameter(0.0, "Share of strands that have lost their pigment.", ge=0, le=1)
    dye: float = _parameter(0.0, "Strength of the dye: 0 is natural hair, 1 hides its own colour.", ge=0, le=1)
    dye_hue: float = _parameter(340.0, "Hue of the dye: 0 is red, 120 green, 240 blue.", unit="deg", ge=0, le=360)
    dye_saturation: float = _parameter(0.7, "How colourful the dye is: 0 is grey.", ge=0, le=1)
    dye_value: float = _parameter(0.6, "How light the dye is: 0 is black.", ge=0, le=1)
    length: float = _parameter(1.0, "Length as a multiple of the style's own.", ge=0.5, le=1.5)
    frizz: float = _parameter(0.3, "Stray strands: 0 is sleek, 1 is wild.", ge=0, le=1)
    strands: int = _parameter(
        20_000, "Number of strands; fewer strands are made thicker to cover alike.", ge=500, le=150_000
    )


class Beard(Axis):
    """Facial hair; its colour is the hair's."""

    style: str = _parameter("clean_shaven", "Style of the beard.", template="beards")
    length: float = _parameter(1.0, "Length as a multiple of the style's own.", ge=0.5, le=2)


class Rig(Axis):
    """The skeleton that moves the double."""

    name: str = _parameter("default", "Rig, of those that the double is built on.", template="rigs")


class Pose(Axis):
    """How the double stands when no stunt is played."""

    name: str = _parameter("standing", "Pose.", template="poses")
    second: str = _parameter("standing", "A second pose, blended with the first.", template="poses")
    blend: float = _parameter(0.0, "Way from the first pose to the second: 0 is the first, 1 the second.", ge=0, le=1)
    mirror: bool = _parameter(False, "Swap left and right.")
    spread: float = _parameter(
        0.0,
        "Standard deviation of the angles of spine, shoulders and hips about the pose's; 0.7 of it at neck, elbows and "
        "knees, 0.5 at wrists and ankles, 0.35 at fingers and toes. Joints keep to their limits.",
        unit="deg",
        ge=0,
        le=15,
    )
    seed: int = _parameter(
        0,
        "Seed of the deviations: equal seeds, equal poses. Drawn when left out, where there is a spread.",
        drawn=True,
        needs="spread",
        ge=0,
        le=SEED_MAX,
    )


class Stunt(Axis):
    """What the double does."""

    name: str = _parameter(NO_STUNT, "Stunt; `none` holds the pose instead.", template="stunts")
    then: str = _parameter(NO_STUNT, "Stunt that follows it; `none` ends with the first.", template="stunts")
    last: str = _parameter(NO_STUNT, "Stunt that follows that one.", template="stunts")
    blend: float = _parameter(0.5, "How far stunts that follow run into each other: 0 rests between.", ge=0, le=1)
    height: float = _parameter(1.0, "Height of its flights and falls as a multiple of the stunt's own.", ge=0.5, le=2)
    distance: float = _parameter(1.0, "How far it goes as a multiple of the stunt's own.", ge=0.5, le=1.5)
    speed: float = _parameter(1.0, "Pace of what is done on the ground; flights fall as gravity says.", ge=0.6, le=1.6)
    timing: float = _parameter(1.0, "Length of what comes before and after the action.", ge=0.5, le=2)
    rotations: int = _parameter(1, "Turns in the air, of stunts that turn there.", ge=1, le=2)
    direction: float = _parameter(
        0.0, "Turn of the whole stunt about the vertical, to the double's left.", unit="deg", ge=-180, le=180
    )
    mirror: bool = _parameter(False, "Swap left and right: the other fist, the other foot, the other way round.")
    start: str = _parameter(OWN_POSE, "Pose that it begins in; `own` is the stunt's own.", template="poses")
    end: str = _parameter(OWN_POSE, "Pose that it ends in; `own` is the stunt's own.", template="poses")
    phase: float = _parameter(0.5, "Where the first frame falls: 0 is the stunt's beginning, 1 its end.", ge=0, le=1)


class Light(Axis):
    """How the stage is lit."""

    preset: str = _parameter("studio", "Light set.", template="lights")
    rotation: float = _parameter(
        0.0, "Turn of all lights around the double, counter-clockwise from above.", unit="deg", ge=-180, le=180
    )
    strength: float = _parameter(1.0, "Brightness as a multiple of the set's own.", ge=0.1, le=10)


class Camera(Axis):
    """Where the double is seen from."""

    framing: str = _parameter("full", "How much of the double is in the picture.", template="framings")
    azimuth: float = _parameter(
        0.0, "Direction of the camera around the double: 0 is the front, 90 its left.", unit="deg", ge=-180, le=180
    )
    elevation: float = _parameter(0.0, "Camera's angle above the horizon.", unit="deg", ge=-60, le=80)
    focal_length: float = _parameter(65.0, "Focal length on a 36 mm wide film back.", unit="mm", ge=18, le=200)
    move: str = _parameter("static", "How the camera moves over a clip.", template="camera_moves")
    amount: float = _parameter(1.0, "How far it moves, as a multiple of the move's own.", ge=0, le=2)


AXES: Final[dict[str, type[Axis]]] = {
    "body": Body,
    "skin": Skin,
    "face": Face,
    "wardrobe": Wardrobe,
    "hair": Hair,
    "beard": Beard,
    "rig": Rig,
    "pose": Pose,
    "stunt": Stunt,
    "light": Light,
    "camera": Camera,
}


@dataclass(frozen=True)
class Parameter:
    """What the axes' models say about one parameter.

    `low` and `high` are the range, ends included, in `unit`; None for booleans and names. `template` is the kind of
    template that a name is looked up in; `drawn` marks seeds that a recipe draws over their range when left out, unless
    the parameter of the axis that one `needs` is fixed at 0.
    """

    axis: str
    name: str
    type: type[Value]
    default: Value
    description: str
    unit: str
    low: float | None
    high: float | None
    template: str
    drawn: bool
    needs: str

    @property
    def path(self) -> str:
        """`axis.name`, as in `Variant.flat`."""
        return f"{self.axis}.{self.name}"


def _read_parameter(axis: str, name: str) -> Parameter:
    field = AXES[axis].model_fields[name]
    marks: dict[str, Any] = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    bounds = {key: getattr(mark, key) for mark in field.metadata for key in ("ge", "le") if hasattr(mark, key)}
    kinds: dict[Any, type[Value]] = {bool: bool, int: int, float: float, str: str}
    return Parameter(
        axis=axis,
        name=name,
        type=kinds[field.annotation],
        default=field.default,
        description=field.description or "",
        unit=marks.get("x-unit", ""),
        low=bounds.get("ge"),
        high=bounds.get("le"),
        template=marks.get("x-template", ""),
        drawn=marks.get("x-drawn", False),
        needs=marks.get("x-needs", ""),
    )


PARAMETERS: Final[dict[str, Parameter]] = {
    f"{axis}.{name}": _read_parameter(axis, name) for axis, model in AXES.items() for name in model.model_fields
}
"""Every parameter by its path, in the order of the axes."""
