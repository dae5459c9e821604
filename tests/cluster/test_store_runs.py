"""A run of the real farm into an object store that fails, throttles and fills up."""

from tests.s3 import Fault


def keys(s3, ending):
    return [key for key in s3.objects("run/") if key.endswith(ending)]


def test_a_run_into_a_store_that_fails_and_fills_up_gives_the_local_runs_hashes(
    farm, undisturbed, hashes, s3, tmp_path
):
    s3.faults[:] = [
        Fault("busy", skip=2, times=4),
        Fault("corrupt", part="noisy", times=1),
        Fault("cut", part="reference.exr", times=1),
        Fault("full", part="reference.exr", skip=1, times=1),
        Fault("lost", part="record.json", times=1),
        Fault("error", method="GET", skip=5, times=2),
    ]
    code, out, err = farm.run("render", farm.smoke, "--out", s3.url("run"), "--workers", "1")
    if code:  # a full store may end a run, or be waited for
        assert code == 1, (out, err)
        assert "the store is full" in out + err
        assert "Traceback" not in out + err
        assert (len(keys(s3, "record.json")), len(keys(s3, ".exr"))) == (1, 3)
        code, out, err = farm.run("render", farm.smoke, "--out", s3.url("run"), "--workers", "1")
    assert code == 0, (out, err)
    assert f"2 of 2 pairs in {s3.url('run')}" in out
    assert all(fault.hits for fault in s3.faults), s3.faults
    for key, data in s3.objects("run/").items():
        file = tmp_path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    assert hashes(tmp_path / "run") == hashes(undisturbed)
    assert keys(s3, ".lease") == keys(s3, ".partial") == []
    code, out, err = farm.run("check", s3.url("run"))
    assert (code, err) == (0, ""), (out, err)
    assert "no defects" in out
