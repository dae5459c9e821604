"""The panel Farm on a real Ray that asks for a token: tested, submitted to, watched, cancelled, fetched, remembered."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from farm.recipe import load_recipe
from tests.ray_head import TOKEN, free_port

TINY = Path(__file__).parents[1] / "cluster" / "jobs" / "tiny.yaml"
PATIENCE = 150


@pytest.fixture(scope="module")
def home(addon, tmp_path_factory):
    """The add-on's own folder; the user's environment has no token."""
    from addon import watch

    folder = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(folder / "no-token"))
        patch.setattr(watch, "home", lambda: folder / "jobs")
        watch.jobs.cache_clear()
        yield folder
    watch.jobs.cache_clear()


@pytest.fixture(scope="module")
def _enabled(addon, home):
    import bpy

    entry = bpy.context.preferences.addons.new()
    entry.module = "addon"
    yield
    bpy.context.preferences.addons.remove(entry)


@pytest.fixture
def farm(_enabled, home):
    """An entry of the list of clusters, chosen; it answers nowhere yet."""
    import bpy

    from addon.preferences import preferences_of

    preferences = preferences_of(bpy.context)
    preferences.clusters.clear()
    bpy.ops.digidouble.add_cluster()
    entry = preferences.clusters[0]
    entry.address, entry.out = f"http://127.0.0.1:{free_port()}", str(home / "datasets")
    preferences.where = entry.name
    yield entry
    preferences_of(bpy.context).where = "This Machine"


@pytest.fixture
def scene(state):
    """A scene with a recipe of one small pair, in the window."""
    import bpy

    from addon import document

    window = bpy.context.window_manager.windows[0]
    before, window.scene = window.scene, state.id_data
    state.document = document.of_recipe(load_recipe(TINY))
    yield window.scene
    window.scene = before


@pytest.fixture
def token(farm, cluster):
    """The cluster's token, typed in."""
    from addon import farm_there

    farm_there.keep_token(cluster.url, TOKEN)
    yield TOKEN
    farm_there.forget_tokens()


def pumped(condition, patience=PATIENCE):
    """Take what threads bring, as Blender's timer does, until something holds."""
    from addon import threads, watch

    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, [watch.jobs().jobs, watch.refused, watch.tested]
        watch.look()
        threads.pump()
        time.sleep(0.1)


def answer_of(farm):
    import bpy

    from addon import watch

    assert bpy.ops.digidouble.test_cluster() == {"FINISHED"}
    pumped(lambda: farm.name in watch.tested, 30)
    return watch.tested[farm.name]


def files_with(text, folder):
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_nobody_at_the_address_is_explained(farm):
    well, told = answer_of(farm)
    assert not well
    assert "connection refused" in told


def test_what_the_client_refuses_is_refused(farm, scene):
    import bpy

    from addon import watch
    from addon.preferences import wrong_address, wrong_folder

    farm.address = "http://me:secret@localhost:8265/ray"
    assert farm.address == "http://localhost:8265/ray"
    assert wrong_address(farm.address) == ""
    assert "is no address" in wrong_address("http://")
    assert "Ray Client" in wrong_address("ray://head:10001")
    assert "full path" in wrong_folder("datasets")
    assert wrong_folder("s3://bucket/x") == wrong_folder("/mnt/x") == ""
    farm.address = "ray://head:10001"
    with pytest.raises(RuntimeError, match="Ray Client"):
        bpy.ops.digidouble.submit()
    farm.address, farm.out = f"http://127.0.0.1:{free_port()}", ""
    assert bpy.ops.digidouble.submit() == {"FINISHED"}
    pumped(lambda: watch.refused, 30)
    assert "fill in 'Datasets' in the preferences" in watch.refused[0]


class Open(BaseHTTPRequestHandler):
    """Answers everybody, as a Ray without authentication does."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"authentication_mode": "disabled"}')

    def log_message(self, *_):
        pass


def test_an_open_cluster_elsewhere_is_refused_and_online_access_respected(farm):
    """127.1 leads here, but is not known as this machine: no name service is needed to be elsewhere."""
    import bpy

    server = ThreadingHTTPServer(("127.0.0.1", 0), Open)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    farm.address = f"http://127.1:{server.server_port}"
    system = bpy.context.preferences.system
    before = system.use_online_access
    try:
        system.use_online_access = False
        with pytest.raises(RuntimeError, match="do not allow online access"):
            bpy.ops.digidouble.test_cluster()
        system.use_online_access = True
        well, told = answer_of(farm)
        assert not well
        assert "authentication disabled" in told
        assert "'Open Cluster' in the preferences" in told
    finally:
        system.use_online_access = before
        server.shutdown()
        server.server_close()


def test_operators_refuse_where_there_is_nothing_to_do(farm):
    import bpy

    ops = bpy.ops.digidouble
    assert not ops.submit.poll()
    for name in ("cancel_job", "forget_job", "open_report", "show_sheet", "show_log", "fetch_job"):
        with pytest.raises(RuntimeError, match="The list has no job 'nothing'"):
            getattr(ops, name)(job="nothing")
    ops.remove_cluster()
    assert not ops.remove_cluster.poll()
    assert not ops.test_cluster.poll()
    assert not ops.enter_token.poll()


def test_a_connection_is_tested_and_a_token_asked_for(cluster, farm):
    import bpy

    from addon import watch

    farm.address = cluster.url
    well, told = answer_of(farm)
    assert not well
    assert "asks for a token" in told
    assert "click Enter Token" in told
    assert told.endswith("(401)")
    assert bpy.ops.digidouble.enter_token(token="b" * 40) == {"FINISHED"}
    pumped(lambda: farm.name in watch.tested, 30)
    assert "does not take the token from what you entered" in watch.tested[farm.name][1]
    assert bpy.ops.digidouble.enter_token(token=TOKEN) == {"FINISHED"}
    pumped(lambda: farm.name in watch.tested, 30)
    pumped(lambda: answer_of(farm) == (True, "Ray 2.60.0: 1 node, 2 CPUs, no GPU"), 60)


def test_a_run_from_the_panel_to_its_pictures(cluster, farm, scene, home, token):
    import bpy

    from addon import estimates, threads, watch

    farm.address = cluster.url
    assert bpy.ops.digidouble.submit() == {"FINISHED"}
    pumped(lambda: watch.jobs().jobs, 60)
    (job,) = watch.jobs().jobs
    assert (job.name, job.cluster, job.total, job.active) == ("tiny", farm.name, 1, True)
    assert Path(job.folder).parent == home / "datasets"
    assert files_with(TOKEN, home) == []
    with pytest.raises(RuntimeError, match="laid out when the render ends"):
        bpy.ops.digidouble.show_sheet(job=job.key)
    pumped(lambda: watch.jobs().find(job.key).done == 1)
    pumped(lambda: not watch.jobs().find(job.key).active)
    done = watch.jobs().find(job.key)
    assert (done.state, done.done, done.trouble, done.failures) == ("done", 1, "", {})

    assert bpy.ops.digidouble.show_sheet(job=job.key) == {"FINISHED"}
    shown = bpy.data.images["contact_sheet.png"]
    assert Path(shown.filepath) == done.sheet
    assert shown.size[0] > 32
    assert bpy.ops.digidouble.show_log(job=job.key) == {"FINISHED"}
    pumped(lambda: "Log of tiny" in bpy.data.texts, 30)
    assert '"event": "ended"' in bpy.data.texts["Log of tiny"].as_string()
    for what, name in (("PREVIEWS", "few"), ("DATASET", "all")):
        to = home / name
        assert bpy.ops.digidouble.fetch_job(job=job.key, what=what, directory=str(to)) == {"FINISHED"}
        pumped(lambda to=to: watch.jobs().find(job.key).copy == str(to), 30)
        assert (to / "contact_sheet.png").is_file()
        assert len(list(to.glob("pairs/*/*/record.json"))) == (what == "DATASET")
    assert estimates.expect(load_recipe(TINY), [done], here=False)[2] == ("as {} pair of {} took", 1, "tiny")

    assert bpy.ops.digidouble.submit() == {"FINISHED"}
    pumped(lambda: not threads.busy(watch.SUBMIT), 60)
    pumped(lambda: not threads.busy(("look", job.key)), 60)
    assert [(each.id, each.state, each.done) for each in watch.jobs().jobs] == [(job.id, "done", 1)]


def test_after_a_restart_the_list_is_there_and_no_file_holds_the_token(cluster, farm, home, token):
    import bpy

    import addon
    from addon import watch
    from addon.preferences import preferences_of

    farm.address = cluster.url
    (job,) = watch.jobs().jobs
    addon.unregister()
    addon.register()
    assert watch.jobs().jobs == (watch.jobs().find(job.key),)
    assert watch.jobs().find(job.key).state == "done"
    bpy.ops.wm.save_as_mainfile(filepath=str(home / "saved.blend"), compress=False)
    assert files_with(TOKEN, home) == []
    (home / "control").write_text(TOKEN)
    assert files_with(TOKEN, home) == [home / "control"]
    (again,) = preferences_of(bpy.context).clusters
    kept = [str(getattr(again, each.identifier)) for each in again.bl_rna.properties]
    assert not any(TOKEN in each for each in kept)
    assert again.address == cluster.url
    assert answer_of(again)[1].endswith("(401)")


def test_another_is_cancelled(cluster, farm, scene, home, monkeypatch):
    import bpy

    from addon import watch

    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    farm.address = cluster.url
    scene.digidouble.seed = 6
    before = len(watch.jobs().jobs)
    assert bpy.ops.digidouble.submit() == {"FINISHED"}
    pumped(lambda: len(watch.jobs().jobs) > before, 60)
    job = watch.jobs().jobs[0]
    assert bpy.ops.digidouble.cancel_job(job=job.key) == {"FINISHED"}
    pumped(lambda: not watch.jobs().find(job.key).active)
    assert watch.jobs().find(job.key).state == "stopped"
    assert bpy.ops.digidouble.forget_job(job=job.key) == {"FINISHED"}
    assert watch.jobs().find(job.key) is None


def test_a_submission_is_cancelled_on_its_way(cluster, farm, scene, token):
    import bpy

    from addon import farm_there, threads, watch
    from addon.preferences import find_cluster

    farm.address = cluster.url
    ops, before = bpy.ops.digidouble, watch.jobs().jobs
    known = farm_there.client(find_cluster(bpy.context, farm.name)).jobs()
    assert not ops.cancel_submission.poll()
    scene.digidouble.seed = 7
    assert ops.submit() == {"FINISHED"}
    assert ops.cancel_submission() == {"FINISHED"}
    assert threads.said(watch.SUBMIT) == "Cancelling"
    assert not ops.cancel_submission.poll()
    pumped(lambda: not threads.busy(watch.SUBMIT), 60)
    assert (watch.jobs().jobs, watch.refused) == (before, [])
    assert farm_there.client(find_cluster(bpy.context, farm.name)).jobs() == known


@pytest.mark.parametrize("moment", ["%", "Submitted"])
def test_a_cancelled_submission_leaves_nothing_that_runs(cluster, farm, token, moment, tmp_path):
    """In the middle of a package, and after the cluster has begun the job."""
    import bpy

    from addon import farm_there
    from addon.preferences import find_cluster
    from farm.cluster.jobs import prepare

    class Ended(Exception):
        pass

    def say(text):
        if moment in text:
            raise Ended

    farm.address = cluster.url
    there, recipe = find_cluster(bpy.context, farm.name), load_recipe(TINY).model_copy(update={"seed": len(moment)})
    asked = farm_there.client(there)
    known = {job.submission_id for job in asked.jobs()}
    with pytest.raises(Ended):
        farm_there.send(there, recipe, say)
    (package,) = prepare(recipe, "/data", tmp_path).packages
    new = [job for job in asked.jobs() if job.submission_id not in known]
    if moment == "%":
        assert new == []
        assert not asked.has_package(package.name)
    else:
        assert asked.has_package(package.name)
        pumped(lambda: asked.job(new[0].submission_id).status == "STOPPED", 60)


def test_a_store_is_fetched_from_where_online_access_is_allowed(farm, scene, home, monkeypatch):
    """One on this machine always is; `true` is the command that fetches."""
    import bpy

    from addon import farm_there, jobs, threads, watch
    from addon.preferences import preferences_of

    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(farm_there, "_speaks_stores", lambda: False)
    preferences_of(bpy.context).command = "true"
    job = jobs.Job("x", "s3://studio/x", "", 1, cluster="F", address="http://localhost:1", id="x-1", state=jobs.DONE)
    watch.jobs().add(job)
    ops, system = bpy.ops.digidouble, bpy.context.preferences.system
    before, system.use_online_access = system.use_online_access, False
    try:
        for endpoint in ("", "https://store.studio.com"):
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
            for ask in (ops.open_report, ops.show_sheet, lambda job: ops.fetch_job(job=job, directory=str(home / "x"))):
                with pytest.raises(RuntimeError, match="do not allow online access"):
                    ask(job=job.key)
            farm.store = "s3://studio/assets"
            with pytest.raises(RuntimeError, match="do not allow online access"):
                ops.submit()
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
        assert ops.fetch_job(job=job.key, directory=str(home / "x")) == {"FINISHED"}
        pumped(lambda: watch.jobs().find(job.key).copy == str(home / "x"), 30)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://store.studio.com")
        with pytest.raises(RuntimeError, match="do not allow online access"):
            ops.show_sheet(job=job.key)
        assert not threads.busy(("fetch", job.key))
    finally:
        system.use_online_access = before
        preferences_of(bpy.context).command = ""
        watch.jobs().forget(job.key)
        watch.refused.clear()
