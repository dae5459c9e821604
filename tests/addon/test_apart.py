"""Work in a Blender of its own: it has no part in the artist's settings, where it would remove extensions' packages."""

from pathlib import Path

import pytest

apart = pytest.importorskip("addon.apart", exc_type=ImportError)


def test_it_has_settings_of_its_own_that_go_with_it(addon, tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path))
    (tmp_path / "extensions").mkdir()
    work = apart.Apart("tests.addon.elsewhere:settings", {"wanted": "extensions"})
    work.wait()
    assert (work.trouble, work.done, work.total) == ("", 1, 2)
    folder, there = work.result
    assert (Path(folder) != tmp_path, there) == (True, False)
    assert not Path(folder).exists()
