"""Steps of an artist: chosen by pictures, a stunt played, variants side by side, a recipe saved and loaded."""

import bpy


def settled(w):
    """Wait until the scene shows what its document says."""
    from bl_ext.user_default.digidouble import preview

    yield 0.5
    for _ in range(60):
        if not bpy.app.timers.is_registered(preview._answer) and w.scene().digidouble.shown:
            return
        yield 0.5
    raise AssertionError("the preview does not come to rest")


def shown(w):
    from bl_ext.user_default.digidouble.state import shown_variant

    return shown_variant(w.scene())


def choose_by_picture(w, path, across, down):
    """Open the pictures of a parameter and click one of them, so far from the picture that is shown."""
    place = yield from w.find(f"digidouble.{path}", across=0.5)
    x, y = place[0], place[1] - 40
    yield from w.click(x, y)
    yield 0.5
    w.picture(f"{path.replace('.', '-')}-pictures")
    yield from w.click(x + across, y + down)
    yield from settled(w)
    w.picture(f"{path.replace('.', '-')}-chosen")


def steps(w):
    """With a double in the window, its panels folded."""
    for name, path, value in (
        ("Hair", "hair.style", lambda v: v.hair.style),
        ("Pose", "pose.chosen", lambda v: v.pose.name),
    ):
        yield from w.open_panel(name)
        before = value(shown(w))
        yield from choose_by_picture(w, path, -150, 60)
        assert value(shown(w)) != before, (name, before)
