"""Cluster templates are valid by what reads them: Ray's own schema, KubeRay's fields, shells and linters."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from farm.cli import cli
from farm.recipe import templates

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "templates" / "cluster"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SCRIPTS = ("slurm", "onpremise")


def read(name):
    return templates.path("cluster", name).read_text()


def test_each_is_listed_and_printed():
    names = ["Dockerfile", "aws", "kuberay", "onpremise", "slurm"]
    assert templates.names("cluster") == names
    runner = CliRunner()
    listed = runner.invoke(cli, ["templates", "cluster"]).output
    for name in names:
        assert re.search(rf"^{name} +\w.{{20,}}", listed, re.MULTILINE), name
        assert runner.invoke(cli, ["templates", "cluster", name]).output == read(name)


def test_they_make_no_other_pixels(monkeypatch, tmp_path):
    before = templates.templates_digest()
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    monkeypatch.setattr(templates, "folder", lambda: tmp_path / "templates")
    templates.templates_digest.cache_clear()
    (tmp_path / "templates" / "cluster" / "slurm.sh").write_text("#!/bin/sh\n")
    try:
        assert templates.templates_digest() == before
    finally:
        templates.templates_digest.cache_clear()


def test_the_aws_cluster_is_valid_by_rays_schema():
    util = pytest.importorskip("ray.autoscaler._private.util", reason="Ray's schema comes with ray")
    config = yaml.safe_load(read("aws"))
    util.validate_config(util.prepare_config(config))
    with pytest.raises(Exception, match="Additional properties"):
        util.validate_config(util.prepare_config({**config, "max_worker": 3}))


def test_a_worker_asks_for_what_it_is_given():
    aws = yaml.safe_load(read("aws"))
    assert aws["available_node_types"]["head"]["resources"] == {"CPU": 0}
    assert aws["available_node_types"]["gpu"]["resources"]["CPU"] >= 4
    assert aws["available_node_types"]["gpu"]["max_workers"] <= aws["max_workers"]
    for start in (*aws["head_start_ray_commands"], *aws["worker_start_ray_commands"]):
        assert start == "ray stop" or start.startswith("RAY_AUTH_MODE=token ray start ")


# The fields of KubeRay 1.7's ray.io/v1, from its API reference.
RAYJOB = {
    "activeDeadlineSeconds", "backoffLimit", "rayClusterSpec", "submitterPodTemplate", "metadata", "clusterSelector",
    "submitterConfig", "managedBy", "deletionStrategy", "entrypoint", "runtimeEnvYAML", "jobId", "submissionMode",
    "entrypointResources", "entrypointNumCpus", "entrypointNumGpus", "ttlSecondsAfterFinished",
    "preRunningDeadlineSeconds", "shutdownAfterJobFinishes", "suspend",
}  # fmt: skip
CLUSTER = {
    "upgradeStrategy", "authOptions", "suspend", "managedBy", "autoscalerOptions", "headServiceAnnotations",
    "enableInTreeAutoscaling", "gcsFaultToleranceOptions", "historyServerOptions", "networkPolicy", "tlsOptions",
    "headGroupSpec", "rayVersion", "workerGroupSpecs",
}  # fmt: skip
HEAD = {
    "template", "headService", "enableIngress", "ingressOptions", "resources", "labels", "rayStartParams",
    "serviceType",
}  # fmt: skip
GROUP = {
    "suspend", "groupName", "replicas", "minReplicas", "maxReplicas", "idleTimeoutSeconds", "priority", "resources",
    "labels", "rayStartParams", "template", "scaleStrategy", "numOfHosts",
}  # fmt: skip
AUTOSCALER = {
    "resources", "image", "imagePullPolicy", "securityContext", "idleTimeoutSeconds", "upscalingMode", "version", "env",
    "envFrom", "volumeMounts", "command", "args",
}  # fmt: skip
MODES = {"K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"}
POD = {"serviceAccountName", "restartPolicy", "containers", "volumes", "tolerations", "terminationGracePeriodSeconds"}
CONTAINER = {"name", "image", "ports", "resources", "volumeMounts", "env"}


def test_the_rayjob_has_kuberays_fields():
    job = yaml.safe_load(read("kuberay"))
    assert (job["apiVersion"], job["kind"], set(job)) == (
        "ray.io/v1",
        "RayJob",
        {"apiVersion", "kind", "metadata", "spec"},
    )
    spec, cluster = job["spec"], job["spec"]["rayClusterSpec"]
    head, groups = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    assert set(spec) <= RAYJOB
    assert set(cluster) <= CLUSTER
    assert set(head) <= HEAD
    assert all(set(group) <= GROUP for group in groups)
    assert set(cluster["autoscalerOptions"]) <= AUTOSCALER
    assert spec["submissionMode"] in MODES
    assert spec["ttlSecondsAfterFinished"] == 0 or spec["shutdownAfterJobFinishes"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["autoscalerOptions"]["version"] == "v2"
    assert head["rayStartParams"]["num-cpus"] == "0"
    ray = f"ray[default]=={cluster['rayVersion'].rpartition('.')[0]}.*"
    assert ray in PROJECT["optional-dependencies"]["cluster"]
    for group in (head, *groups):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        assert set(pod) <= POD
        assert pod["restartPolicy"] == "Never"  # the autoscaler's version 2 takes no other
        mounts = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}
        assert all(set(container) <= CONTAINER for container in pod["containers"])


def test_the_rayjobs_command_is_one_of_ours():
    *python, name = shlex.split(yaml.safe_load(read("kuberay"))["spec"]["entrypoint"])[:4]
    assert python == ["python", "-m", "farm.cli"]
    words = shlex.split(yaml.safe_load(read("kuberay"))["spec"]["entrypoint"])[4:]
    cli.commands[name].make_context(name, words)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_clean(name):
    script = templates.path("cluster", name)
    subprocess.run(["bash", "-n", script], check=True)
    shellcheck = shutil.which(
        "shellcheck", path=f"{Path(sys.executable).parent}:{Path(sys.prefix, 'bin')}"
    ) or shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("no shellcheck")
    done = subprocess.run([shellcheck, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_is_clean_and_installs_what_there_is():
    text = read("Dockerfile")
    extras = re.findall(r"--extra (\w+)", text)
    assert extras
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split())
    hadolint = shutil.which(
        "hadolint", path=f"{Path(sys.executable).parent}:{Path(sys.prefix, 'bin')}"
    ) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint")
    done = subprocess.run([hadolint, "-"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_versions_are_this_ones():
    for name in ("aws", "kuberay"):
        images = re.findall(r"CHANGE/digidouble:([\w.]+)", read(name))
        assert images
        assert set(images) == {PROJECT["version"]}, name
    assert f"digidouble:{PROJECT['version']}" in read("Dockerfile")


def test_the_commands_in_them_are_taken():
    for name in templates.names("cluster"):
        found = re.findall(r"^# +(digidouble [a-z][^\n>#]*)", read(name), re.MULTILINE)
        assert found or name == "Dockerfile", name
        for command in found:
            _, *words = shlex.split(command)
            name_, known, rest = cli.resolve_command(click.Context(cli), words)
            known.make_context(name_, rest)


@pytest.fixture
def machine(tmp_path):
    """A home with an environment whose `ray`, and a `systemctl` and `loginctl`, say how they were called."""
    for name in ("env/bin/ray", "bin/systemctl", "bin/loginctl"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'#!/bin/sh\necho "{file.name} $*" >> "$HOME/calls"\n')
        file.chmod(0o755)
    return tmp_path


def run_onpremise(home, *words):
    environment = {
        "HOME": str(home),
        "USER": "me",
        "PATH": f"{home / 'bin'}:/usr/bin:/bin",
        "DIGIDOUBLE_ENV": str(home / "env"),
    }
    script = templates.path("cluster", "onpremise")
    return subprocess.run(["bash", script, *words], env=environment, capture_output=True, text=True, check=False)


def test_a_machine_becomes_a_worker(machine):
    done = run_onpremise(machine, "worker", "10.0.0.1")
    assert (done.returncode, "auth_token is missing" in done.stderr) == (1, True)
    (machine / ".ray").mkdir()
    token = machine / ".ray" / "auth_token"
    token.write_text("x" * 32)
    token.chmod(0o644)
    done = run_onpremise(machine, "worker", "10.0.0.1")
    assert done.returncode == 0, done.stderr
    unit = (machine / ".config/systemd/user/digidouble-ray.service").read_text()
    assert f"ExecStart={machine}/env/bin/ray start --block --address=10.0.0.1:6379\n" in unit
    assert "RAY_AUTH_MODE=token" in unit
    assert "x" * 32 not in unit
    assert token.stat().st_mode & 0o777 == 0o600
    assert "systemctl --user restart digidouble-ray" in (machine / "calls").read_text()
    assert run_onpremise(machine, "worker").returncode != 0
    assert run_onpremise(machine).returncode == 2


FAKES = {
    "scontrol": "printf 'node1\\nnode2\\n'",
    "srun": 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"',
    "hostname": "echo 10.1.2.3",
    "ray": 'echo "ray $*" >> "$HOME/calls"; [ "$1" = start ] && exec sleep 60; exit 0',
    "digidouble": """trap 'echo drained >> "$HOME/calls"; exit 1' TERM
until grep -q "block --address" "$HOME/calls"; do sleep 0.05; done
echo "digidouble $*, token ${#RAY_AUTH_TOKEN}" >> "$HOME/calls"
[ "$2" = long.yaml ] && { sleep 30 & wait; }
exit 0""",
}
"""What SLURM, Ray and Digidouble are to the script: they say how they were called."""


@pytest.fixture
def batch(tmp_path):
    """Starts the SLURM script with a recipe's name."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "activate").write_text("")
    for name, text in FAKES.items():
        file = tmp_path / "bin" / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "DIGIDOUBLE_ENV": str(tmp_path / "env"),
        "SLURM_JOB_ID": "123",
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_CPUS_PER_TASK": "8",
        "SLURM_GPUS_ON_NODE": "1",
    }
    script = templates.path("cluster", "slurm")
    return lambda recipe: subprocess.Popen(["bash", script, recipe, "/shared/x"], env=environment)


def calls(home):
    file = home / "calls"
    return file.read_text().splitlines() if file.exists() else []


def test_a_batch_job_starts_a_cluster_renders_and_ends_it(batch, tmp_path):
    assert batch("short.yaml").wait(60) == 0
    told = calls(tmp_path)
    assert "ray start --block --address=10.1.2.3:20123 --num-cpus=8 --num-gpus=1" in told
    assert any(line.startswith("ray start --head --block --node-ip-address=10.1.2.3 --port=20123") for line in told)
    command, _, token = next(line for line in told if line.startswith("digidouble")).partition(", ")
    assert token == "token 64"
    _, name, *words = shlex.split(command)
    cli.commands[name].make_context(name, words)


def test_a_batch_job_that_is_preempted_lets_its_driver_end(batch, tmp_path):
    process = batch("long.yaml")
    deadline = time.monotonic() + 60
    while not any(line.startswith("digidouble") for line in calls(tmp_path)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 1
    assert "drained" in calls(tmp_path)
