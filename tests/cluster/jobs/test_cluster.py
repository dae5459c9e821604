"""A real Ray with a token: who is let in, and runs from submission to the fetched dataset."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from farm.cluster.jobs import Token, connect, parse_address, prepare, submit
from farm.cluster.jobs.packages import store_package
from farm.dataset import check_dataset
from farm.errors import ClusterError
from farm.recipe import load_recipe, parse_recipe

HERE = Path(__file__).parent
TINY = HERE / "tiny.yaml"
ROOT = HERE.parents[2]
PATIENCE = 240


@pytest.fixture(scope="module")
def shell(cluster, tmp_path_factory):
    """`digidouble …` as a user of the cluster has it: exit code, output, errors."""
    pytest.importorskip("bpy", reason="renders need bpy")
    home = tmp_path_factory.mktemp("home")
    profiles = {
        "default": "here",
        "clusters": {"here": {"url": cluster.url, "python": sys.executable, "out": str(home)}},
    }
    (home / "clusters.yaml").write_text(json.dumps(profiles))
    environment = {
        **os.environ,
        "RAY_AUTH_TOKEN": cluster.token.value,
        "DIGIDOUBLE_CLUSTERS": str(home / "clusters.yaml"),
    }

    def run(*words, **more):
        command = [sys.executable, "-m", "farm.cli", *map(str, words)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**environment, **more},
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_log_is_sent_once_while_it_grows(cluster):
    """Over a WebSocket: the log as a whole is asked for once, at the end."""
    client = cluster.client()
    asked = []
    fetch = client._fetch
    client._fetch = lambda method, path, *rest, **more: (asked.append(path), fetch(method, path, *rest, **more))[1]
    count = "for number in 1 2 3 4 5 6; do echo line $number; sleep 0.7; done"
    client.submit({"entrypoint": f"sh -c '{count}'", "submission_id": "talks"})
    pieces = list(client.follow("talks"))
    said = "".join(pieces)
    assert [line for line in said.splitlines() if line.startswith("line ")] == [f"line {n}" for n in range(1, 7)]
    assert len(pieces) > 2
    assert said == client.logs("talks")
    assert asked.count("/api/jobs/talks/logs") == 2
    assert client.tail("talks", 2) == "line 5\nline 6\n"
    assert client.resources()[1:] == (2, 0)
    client.delete("talks")


def test_who_has_no_token_or_another_is_told(cluster):
    address = parse_address(cluster.url)
    with pytest.raises(ClusterError, match=r"asks for a token.*RAY_AUTH_TOKEN.*\(401\)"):
        connect(address, lambda: None)
    with pytest.raises(ClusterError, match=r"does not take the token from RAY_AUTH_TOKEN.*\(403\)"):
        connect(address, lambda: Token("b" * 40, "RAY_AUTH_TOKEN"))
    assert connect(address, lambda: cluster.token).authentication_mode() == "token"


def test_the_command_line_explains_it_too(shell, tmp_path):
    code, out, err = shell("status", RAY_AUTH_TOKEN="", HOME=str(tmp_path))
    assert (code, out) == (1, "")
    assert "(401)" in err
    assert err.count("\n") == 1


def test_a_run_from_submission_to_the_fetched_dataset(cluster, shell, tmp_path):
    root = tmp_path / "tiny"
    submission = ("submit", TINY, "--out", root, "--device", "cpu", "--workers", "1")
    code, out, err = shell(*submission)
    assert code == 0, err
    assert "sending code" in err
    job = out.split(":")[0]
    code, out, err = shell("logs", job, "-f")
    assert code == 0, (out, err)
    events = [json.loads(line) for line in out.splitlines() if line.startswith('{"event"')]
    assert events[-1]["event"] == "ended"
    assert events[-1]["complete"]
    assert cluster.token.value not in out + err

    page = (root / "status.html").read_text()
    assert "1 of 1" in page
    assert page.count("<img ") == 1
    assert "http-equiv" not in page

    code, out, err = shell(*submission)
    assert (code, err) == (0, "")
    assert f"{job}: there already, succeeded" in out

    code, out, _ = shell("status", job)
    assert f"{job}: succeeded" in out
    assert "1 of 1" in out
    assert str(root) in out
    code, out, _ = shell("status", "--json")
    assert [each["submission_id"] for each in json.loads(out)] == [job]

    code, out, err = shell("fetch", job, "--previews", "--to", tmp_path / "few")
    assert (code, err) == (0, "")
    assert out == f"{tmp_path / 'few'}: contact_sheet.png, report.html\n"
    code, out, err = shell("fetch", job, "--to", tmp_path / "copy")
    assert code == 0, err
    assert "1 pairs copied" in out
    assert check_dataset(tmp_path / "copy").ok


def test_an_artists_own_double_goes_with_its_run(shell, tmp_path):
    """A Mixamo character: sent as a packed file, rendered there, and its dataset holds it."""
    from tests.double.own.characters import mixamo_hero

    mixamo_hero(tmp_path / "hero.blend")
    recipe = tmp_path / "hero.yaml"
    text = TINY.read_text().replace("name: tiny", "name: hero\ndouble: hero.blend", 1)
    recipe.write_text(text.replace("framing: bust", "framing: full"))
    submission = ("submit", recipe, "--out", tmp_path / "dataset", "--device", "cpu", "--workers", "1")
    code, out, err = shell(*submission)
    assert code == 0, err
    assert ".blend" in err
    code, said, err = shell("logs", out.split(":")[0], "-f")
    assert code == 0, (said, err)
    assert check_dataset(tmp_path / "dataset").ok
    assert [file.suffix for file in (tmp_path / "dataset" / "assets").iterdir()] == [".blend"]
    code, out, err = shell(*submission)
    assert "there already, succeeded" in out, (code, out, err)


def test_a_cancelled_run_ends_and_its_successor_begins(cluster, tmp_path):
    client = cluster.client()
    (tmp_path / "zips").mkdir()
    submission = prepare(
        parse_recipe(TINY.read_text().replace("seed: 5", "seed: 6")),
        str(tmp_path / "dataset"),
        tmp_path / "zips",
        options=["--device", "cpu"],
        python=sys.executable,
    )
    first = submit(client, submission)
    assert first.begun
    again = submit(client, submission)
    assert (again.id, again.begun, again.sent) == (first.id, False, ())
    client.stop(first.id)
    assert "".join(client.follow(first.id)) is not None
    assert client.known_job(first.id).status == "STOPPED"
    second = submit(client, submission)
    assert (second.id, second.begun, second.sent) == (f"{first.id}-2", True, ())
    client.stop(second.id)
    list(client.follow(second.id))
    for job in (first.id, second.id):
        client.delete(job)
        assert client.job(job) is None


SEE = """
import ray
from farm.cluster.jobs import find_token
from farm.cluster.jobs.packages import asset
ray.init("auto", log_to_driver=False)
@ray.remote
def see():
    import farm
    return farm.__file__, asset("walk.bvh").read_text(), asset("large.abc").read_text()
print(*ray.get(see.remote()), flush=True)
"""


def test_assets_and_code_reach_the_workers_and_go_up_once(cluster, shell, tmp_path):
    client = cluster.client()
    (tmp_path / "walk.bvh").write_text("HIERARCHY of this test,")
    (tmp_path / "large.abc").write_text("and what is said to be large")
    (tmp_path / "zips").mkdir()
    recipe = load_recipe(TINY)
    assets = [tmp_path / "walk.bvh", tmp_path / "large.abc"]
    submission = prepare(recipe, "/nowhere", tmp_path / "zips", assets=assets, python=sys.executable)
    *small, large = submission.packages
    for package in small:
        if not client.has_package(package.name):
            client.put_package(package.name, package.file)
    assert all(client.has_package(package.name) for package in small)
    stored = store_package(large, str(tmp_path / "store"))
    request = submission.request([*(package.uri for package in small), stored], "see")
    (tmp_path / "see.py").write_text(SEE)
    assert client.submit({**request, "entrypoint": f"{sys.executable} {tmp_path / 'see.py'}"})
    assert not client.submit({**request, "entrypoint": "true"})
    log = "".join(client.follow("see"))
    assert client.known_job("see").status == "SUCCEEDED", log
    place, text = log.strip().splitlines()[-1].split(maxsplit=1)
    assert text == "HIERARCHY of this test, and what is said to be large"
    assert Path(place).parts[-3].startswith("_ray_pkg_")
    assert cluster.token.value not in json.dumps(request)

    code, _, err = shell("fetch", "see", "--to", tmp_path / "copy")
    assert (code, "/nowhere, a folder of the cluster's that is not mounted here" in err) == (2, True)
    assert "succeeded already" in shell("cancel", "see")[1]
    assert "forgotten" in shell("cancel", "see", "--delete")[1]
    code, _, err = shell("logs", "see")
    assert (code, "knows no job 'see'" in err) == (2, True)


def test_the_cluster_says_what_is_wrong_with_a_request(cluster):
    with pytest.raises(ClusterError, match=r"failed: .*entrypoint.*\((400|500)\)"):
        cluster.client().submit({"submission_id": "odd", "entrypoint": 5})
