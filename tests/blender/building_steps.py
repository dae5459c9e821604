"""A build that is stopped by ESC, and mended: steps for tests/blender/clicks.py, with a double in the scene."""

import bpy
from window import body_of, settled

TRIES = 8


def quiet():
    """Wait until nothing is built any more."""
    from bl_ext.user_default.digidouble import preview

    for _ in range(120):
        if not bpy.app.timers.is_registered(preview._answer):
            return
        yield 0.25
    raise AssertionError("the preview does not come to rest")


def stopped(w, onward):
    """Press Next Variant and, while it is built, ESC; whether that came in time."""
    from bl_ext.user_default.digidouble import preview

    w.move(*onward)
    yield 0.4
    for value in ("PRESS", "RELEASE"):
        w.window.event_simulate(type="LEFTMOUSE", value=value, x=int(onward[0]), y=int(onward[1]))
        yield 0.05
    for _ in range(40):
        if preview.progress() is not None:
            break
        yield 0.01
    for value in ("PRESS", "RELEASE"):
        w.window.event_simulate(type="ESC", value=value, x=int(onward[0]), y=int(onward[1]))
        yield 0.02
    yield from quiet()
    return not w.scene().digidouble.shown


def steps(w):
    """Next variant, ESC while it is built, Build Double; then it is what it is without."""
    onward = yield from w.find("step_variant(by=1)")
    for _ in range(TRIES):
        came = yield from stopped(w, onward)
        if came:
            break
    else:
        raise AssertionError(f"ESC came too late {TRIES} times")
    yield 0.5
    w.picture("stopped")
    index = w.scene().digidouble.index
    yield from w.press("digidouble.build_double")
    yield from settled(w)
    assert w.scene().digidouble.shown
    assert not w.scene().digidouble.problem
    mended = body_of(w.scene())
    w.picture("mended")
    onward = yield from w.find("step_variant(by=1)")
    yield from w.click(*onward)
    yield from settled(w)
    back = yield from w.find("step_variant(by=-1)", across=0.07)
    yield from w.click(*back)
    yield from settled(w)
    assert w.scene().digidouble.index == index
    assert body_of(w.scene()) == mended
