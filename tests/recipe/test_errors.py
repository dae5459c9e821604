"""Every mistake is one line: where it is, what was found there and what to do."""

from __future__ import annotations

import pytest

from farm.errors import RecipeError
from farm.recipe import load_recipe, parse_recipe

HEAD = "digidouble: recipe/1\nname: test\ncount: 2\n"

UNREADABLE = {
    "": "r.yaml:1: the file is empty; a recipe starts with `digidouble: recipe/1`",
    "# nothing\n": "r.yaml:1: the file is empty; a recipe starts with `digidouble: recipe/1`",
    "- a": "r.yaml:1:1: expected a mapping of keys to values, found a list",
    "text": "r.yaml:1:1: expected a mapping of keys to values, found 'text'",
    "a: b: c": "r.yaml:1:5: not valid YAML: mapping values are not allowed here",
    "a: 1\nb: [1, 2\n": "r.yaml:3:1: not valid YAML: expected ',' or ']', but got '<stream end>'"
    " while parsing a flow sequence",
    "a: 1\nb: \x07": "r.yaml:2: not text: it holds the character 0x07",
    HEAD + "name: again": "r.yaml:4:1: name: the key is there twice, first in line 2",
    HEAD
    + "axes:\n  hair: {frizz: 0, frizz: 1}": "r.yaml:5:20: axes.hair.frizz: the key is there twice, first in line 5",
    HEAD + "x: &a [*a]": "r.yaml:4:4: x[0]: a value that holds itself",
    HEAD + "x: *a": "r.yaml:4:4: not valid YAML: found undefined alias 'a'",
    HEAD + "x: !!python/name:os.system": "r.yaml:4:4: x: the tag 'tag:yaml.org,2002:python/name:os.system'"
    " has no place in a recipe",
    HEAD + "[1, 2]: 3": "r.yaml:4:1: a key must be one word or number",
    HEAD
    + "---\nb: 1": "r.yaml:4:1: not valid YAML: but found another document expected a single document in the stream",
    HEAD + 'x: "\\ud800"': "r.yaml:4:4: x: \"'\\\\ud800'\" is not valid text",
    "[" * 20_000: "r.yaml: not a recipe: its values are nested too deeply",
}

WRONG_WHOLE = {
    "name: x\ncount: 1": "r.yaml:1:1: digidouble: the version key is missing; write `digidouble: recipe/1` first",
    "digidouble: recipe/2\nwhatever: 1": "r.yaml:1:13: digidouble: recipe/2 is newer than this Digidouble reads"
    " (recipe/1); install a newer Digidouble",
    "digidouble: 1\nname: x\ncount: 1": "r.yaml:1:13: digidouble: unknown format, 1; write `digidouble: recipe/1`",
    "digidouble: recipe/1\nname: x": "r.yaml:1:1: count: the key is missing; add `count: …`",
    HEAD.replace("2", "-3"): "r.yaml:3:8: count: must be at least 1, found -3",
    HEAD.replace("2", "2.5"): "r.yaml:3:8: count: expected a whole number, found 2.5",
    HEAD.replace("2", "true"): "r.yaml:3:8: count: expected a whole number, found true",
    HEAD.replace("test", "5"): "r.yaml:2:7: name: expected text, found 5; put it in quotes",
    HEAD.replace("test", "a/b"): "r.yaml:2:7: name: 'a/b' may hold only letters, digits, - and _,"
    " and starts with a letter or digit",
    HEAD + "cuont: 3": "r.yaml:4:1: cuont: unknown key 'cuont'; did you mean 'count'?",
    HEAD + "hair:\n  style: short": "r.yaml:4:1: hair: unknown key 'hair'; it belongs at axes.hair",
    HEAD + "seed: -1": "r.yaml:4:7: seed: must be at least 0, found -1",
    HEAD + "axes: 3": "r.yaml:4:7: axes: expected a mapping of keys to values, found 3",
    HEAD + "axes:\n  hair:\n": "r.yaml:5:8: axes.hair: expected a mapping of keys to values, found nothing",
    HEAD + "axes:\n  hiar: {}": "r.yaml:5:3: axes.hiar: unknown key 'hiar'; did you mean 'hair'?",
    HEAD + "axes:\n  body: {african: 0, asian: 0, caucasian: 0}": "r.yaml:5:9: axes.body: african, asian and caucasian"
    " are all 0; give one of them a share",
    HEAD + "capture: {frames: {count: 8, rate: 0}}": "r.yaml:4:36: capture.frames.rate: must be above 0, found 0",
    HEAD + "capture: {frames: {count: 8, rate: -24}}": "r.yaml:4:36: capture.frames.rate: must be above 0, found -24",
    HEAD + "capture: {frames: {count: 8, rate: 1000}}": "r.yaml:4:36: capture.frames.rate: must be at most 240,"
    " found 1000",
    HEAD + "capture: {shutter: 1.5}": "r.yaml:4:20: capture.shutter: must be at most 1, found 1.5",
    HEAD + "split: {train: 0}": "r.yaml:4:8: split: every share is 0; give train, valid or test a share",
    HEAD + "split: {train: -1}": "r.yaml:4:16: split.train: must be at least 0, found -1",
    HEAD + "split: {tets: 1}": "r.yaml:4:9: split.tets: unknown key 'tets'; did you mean 'test'?",
}

# In line 6, after four spaces; the axis comes first.
WRONG_SETTING = {
    "hair melanine: 3": "5: axes.hair.melanine: unknown key 'melanine'; did you mean 'melanin'?",
    "hair age: 30": "5: axes.hair.age: unknown key 'age'; it belongs at axes.body.age",
    "hair melanin: red": "14: axes.hair.melanin: expected a number, found 'red'",
    "hair melanin: true": "14: axes.hair.melanin: expected a number, found true",
    "hair melanin: 3": "14: axes.hair.melanin: 3 is outside the range of hair.melanin, 0 to 1",
    "hair melanin: 1e999": "14: axes.hair.melanin: expected a finite number; this one is too large or not a number",
    "camera focal_length: {normal: {mean: 1e308 m, sd: 1}}": "35: axes.camera.focal_length.normal.mean: expected"
    " a finite number; this one is too large or not a number",
    "hair melanin:": "13: axes.hair.melanin: no value; give one or delete the line for the default, 0.75",
    "hair seed:": "10: axes.hair.seed: no value; give one or delete the line to have it drawn",
    "hair melanin: [0, 1]": "14: axes.hair.melanin: expected a value or a distribution, found a list;"
    " write `choose: [...]`",
    "hair melanin: {}": "14: axes.hair.melanin: an empty distribution;"
    " write one of choose, uniform, normal, beta, integers",
    "hair melanin: {unifrom: [0, 1]}": "15: axes.hair.melanin.unifrom: unknown distribution 'unifrom';"
    " did you mean 'uniform'?",
    "hair melanin: {uniform: [0, 1], choose: [1]}": "32: axes.hair.melanin.choose: one distribution, not 2:"
    " uniform, choose",
    "hair melanin: 0.3 m": "14: axes.hair.melanin: '0.3 m' carries the unit 'm', but hair.melanin has none; write 0.3",
    "camera focal_length: 85 kg": "19: axes.camera.focal_length: '85 kg' has the wrong unit;"
    " camera.focal_length accepts mm, cm, in, ft, m",
    "camera azimuth: {uniform: [0 deg, 9 m]}": "32: axes.camera.azimuth.uniform[1]: '9 m' has the wrong unit;"
    " camera.azimuth accepts deg, rad",
    "body height: 180": "13: axes.body.height: 180 is outside the range of body.height, 1.45 to 2.05 m;"
    " did you mean '180 cm'?",
    "hair melanin: {uniform: [1, 0]}": "24: axes.hair.melanin.uniform: impossible range: low 1 is above high 0;"
    " swap them",
    "hair melanin: {uniform: [0.5, 0.5]}": "24: axes.hair.melanin.uniform: impossible range: low and high are both 0.5;"
    " write the value alone",
    "hair melanin: {uniform: [0, 2]}": "28: axes.hair.melanin.uniform[1]: 2 is outside the range of"
    " hair.melanin, 0 to 1",
    "hair melanin: {uniform: [0]}": "24: axes.hair.melanin.uniform: expected [low, high], found a list of 1",
    "hair melanin: {choose: []}": "23: axes.hair.melanin.choose: an empty choice; give it at least one value",
    "hair melanin: {choose: {}}": "23: axes.hair.melanin.choose: an empty choice; give it at least one value",
    "hair melanin: {choose: 1}": "23: axes.hair.melanin.choose: expected a list of values, or values with weights,"
    " found 1",
    "hair melanin: {choose: [[1]]}": "24: axes.hair.melanin.choose[0]: expected a value, found a list",
    "hair melanin: {choose: {0.1: 0, 0.2: 0}}": "29: axes.hair.melanin.choose.0.1: weight 0 is not above 0;"
    " delete the line to leave the value out",
    "hair melanin: {choose: {0.1: -1}}": "29: axes.hair.melanin.choose.0.1: weight -1 is not above 0;"
    " delete the line to leave the value out",
    "hair melanin: {choose: [0.1, 0.1]}": "29: axes.hair.melanin.choose[1]: 0.1 is there twice;"
    " say it once, with a larger weight",
    "hair melanin: {choose: {0.1: 1, 0.10: 1}}": "32: axes.hair.melanin.choose.0.10: '0.10' is there twice;"
    " say it once, with a larger weight",
    "hair melanin: {normal: {mean: 0.5}}": "23: axes.hair.melanin.normal: 'sd' is missing; normal needs mean and sd",
    "hair melanin: {normal: {mean: 0.5, sd: 0}}": "39: axes.hair.melanin.normal.sd: sd 0 is not above 0;"
    " for one value, write the value alone",
    "hair melanin: {normal: {mean: 0.5, sd: 0.1, mim: 0}}": "44: axes.hair.melanin.normal.mim: unknown key 'mim';"
    " did you mean 'min'?",
    "hair melanin: {normal: {mean: 0.5, sd: 0.1, max: 7}}": "49: axes.hair.melanin.normal.max: 7 is outside the range"
    " of hair.melanin, 0 to 1",
    "hair melanin: {normal: {mean: 50, sd: 0.1}}": "30: axes.hair.melanin.normal.mean: impossible range: mean 50 with"
    " sd 0.1 never falls within 0 to 1; move the mean or widen sd",
    "hair melanin: {beta: {a: 0, b: 1}}": "25: axes.hair.melanin.beta.a: a is 0; it must be 0.01 to 1000",
    "hair strands: {uniform: [1000, 2000]}": "15: axes.hair.strands.uniform: uniform does not suit hair.strands,"
    " a whole number; use choose or integers",
    "hair strands: {integers: [1000.5, 2000]}": "26: axes.hair.strands.integers[0]: expected a whole number,"
    " found 1000.5",
    "hair strands: 1000.5": "14: axes.hair.strands: expected a whole number, found 1000.5",
    "hair style: {uniform: [0, 1]}": "13: axes.hair.style.uniform: uniform does not suit hair.style,"
    " a name from hairstyles; use choose",
    "hair style: afr0": "12: axes.hair.style: no 'afr0' in hairstyles; did you mean 'afro'?",
    "hair style: {choose: {afro: 1, shrt: 1}}": "31: axes.hair.style.choose.shrt: no 'shrt' in hairstyles;"
    " did you mean 'short'?",
    "hair style: 5": "12: axes.hair.style: expected a name from hairstyles, found 5",
    "stunt name: {choose: [null, jump]}": "21: axes.stunt.name.choose[0]: expected a name from stunts, found nothing;"
    " write `none` for no stunt",
    "pose mirror: maybe": "13: axes.pose.mirror: expected true or false, found 'maybe'",
    "pose mirror: {uniform: [0, 1]}": "14: axes.pose.mirror.uniform: uniform does not suit pose.mirror,"
    " which is true or false; use choose",
}

# In line 5, after two spaces.
WRONG_CAPTURE = {
    "samplse: 3": "3: capture.samplse: unknown key 'samplse'; did you mean 'samples'?",
    "resolution: 256": "15: capture.resolution: expected a list such as [1, 4], found 256",
    "resolution: [256]": "3: capture.resolution[1]: value 2 of the list is missing",
    "resolution: [256, 256, 3]": "15: capture.resolution: expected at most 2 values, found more",
    "resolution: [4, 256]": "16: capture.resolution[0]: must be at least 8, found 4",
    "resolution: [256, x]": "21: capture.resolution[1]: expected a whole number, found 'x'",
    "resolution: [512, 8]": "16: capture.resolution[0]: 512 × 8 is narrower than 4:1; bring 512 down to 32 or less",
    "resolution: [64, 257]": "20: capture.resolution[1]: 64 × 257 is narrower than 4:1; bring 257 down to 256 or less",
    "samples: []": "12: capture.samples: expected at least 1 value(s), found 0",
    "samples: [4, 1]": "16: capture.samples[1]: 1 follows 4; sample counts ascend, each once",
    "samples: [4, 4]": "16: capture.samples[1]: 4 follows 4; sample counts ascend, each once",
    "samples: [0, 1]": "13: capture.samples[0]: must be at least 1, found 0",
    "replicas: 0": "13: capture.replicas: must be at least 1, found 0",
    "reference: 16": "14: capture.reference: the reference's 16 samples are no more than the noisy images' 16;"
    " raise it",
    "reference: 255": "14: capture.reference: 255 is odd, but the reference is made of two equal halves",
    "reference: no": "14: capture.reference: expected a whole number or a mapping, found 'no'",
    "reference: {chunk: 20}": "3: capture.reference.samples: the key is missing; add `samples: …`",
    "reference: {samples: 256, chunk: 200}": "36: capture.reference.chunk: 200 samples for each of two halves is more"
    " than the reference's 256; give at most 128",
    "reference: {samples: 256, residual: 0}": "39: capture.reference.residual: must be above 0, found 0",
    "frames: 0": "11: capture.frames: must be at least 1, found 0",
    "frames: {cont: 3}": "12: capture.frames.cont: unknown key 'cont'; did you mean 'count'?",
    "frames: {start: 9000, count: 999, step: 2}": "32: capture.frames.count: the last frame would be 10996;"
    " frames end at 9999",
    "caustics: 3": "13: capture.caustics: expected true or false, found 3",
}


def message(text: str) -> str:
    with pytest.raises(RecipeError) as raised:
        parse_recipe(text, source="r.yaml")
    return str(raised.value)


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_yaml_for_a_recipe_is_refused_by_line(text: str) -> None:
    assert message(text) == UNREADABLE[text]


@pytest.mark.parametrize("text", WRONG_WHOLE)
def test_wrong_keys_and_values_are_named(text: str) -> None:
    assert message(text) == WRONG_WHOLE[text]


@pytest.mark.parametrize("text", WRONG_SETTING)
def test_wrong_settings_are_named(text: str) -> None:
    axis, line = text.split(" ", 1)
    assert message(f"{HEAD}axes:\n  {axis}:\n    {line}\n") == f"r.yaml:6:{WRONG_SETTING[text]}"


@pytest.mark.parametrize("line", WRONG_CAPTURE)
def test_wrong_captures_are_named(line: str) -> None:
    assert message(f"{HEAD}capture:\n  {line}\n") == f"r.yaml:5:{WRONG_CAPTURE[line]}"


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = HEAD.replace("2", "-3") + "axes: {hair: {frizz: 9, melanin: x}}\nfoo: 1\nseed: x"
    places = [line.split(": ")[:2] for line in message(text).splitlines()]
    assert places == [
        ["r.yaml:3:8", "count"],
        ["r.yaml:4:22", "axes.hair.frizz"],
        ["r.yaml:4:34", "axes.hair.melanin"],
        ["r.yaml:5:1", "foo"],
        ["r.yaml:6:7", "seed"],
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path) -> None:
    file = tmp_path / "missing.yaml"
    with pytest.raises(RecipeError, match=r"missing\.yaml: cannot read the recipe: no such file or directory"):
        load_recipe(file)
    with pytest.raises(RecipeError, match="cannot read the recipe: is a directory"):
        load_recipe(tmp_path)
    file.write_bytes(b"name: \xff")
    with pytest.raises(RecipeError, match="not UTF-8 text"):
        load_recipe(file)
    file.write_bytes(b"a: 1\n" * 300_000)
    with pytest.raises(RecipeError, match="too large for a recipe"):
        load_recipe(file)
