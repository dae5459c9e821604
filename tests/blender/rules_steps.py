"""Steps of an artist who makes a rule by clicking, and goes on to a variant that it suits."""

import json

from window import settled

COLUMNS = (-337, -184, -31)
"""From the button that opens the dialog to the middles of its three columns of names, at 100 %."""
ASKED, MADE, ROW = 362, 279, 23
"""The dialog stands on the window's lower edge. From there up to the outfits and to the first hairstyles; from row to
row of these."""


def tick(w, place, number, bottom):
    """Click a name of a dialog's grid."""
    x, y = place[0] + COLUMNS[number % 3], bottom - ROW * (number // 3)
    w.move(x - 1, y)
    yield 0.1
    w.move(x, y)
    yield 0.2
    for value in ("PRESS", "RELEASE"):
        w.window.event_simulate(type="LEFTMOUSE", value=value, x=x, y=y)
        yield 0.1


def removed(w):
    """The cross in its box takes the rule away."""
    yield from w.open_panel("Vary")
    place = yield from w.find("digidouble.remove_rule", across=0.8, below=470)
    yield from w.click(*place)
    yield from settled(w)
    assert "rules" not in json.loads(w.scene().digidouble.document)


def rule(w):
    """Who wears this outfit, or the next variant's, has another hairstyle, as is seen one variant on.

    The hair was locked, and is no more: no rule sets what is locked.
    """
    from bl_ext.user_default.digidouble import document, rules

    from farm.recipe import templates

    state = w.scene().digidouble
    yield from w.press("digidouble.hair.locked", across=0.76)
    yield from settled(w)
    assert not state.hair.locked
    outfits, styles = templates.names("wardrobe"), templates.names("hairstyles")
    now, then = (document.draw(state.document, state.held, state.index + on) for on in (0, 1))
    style = next(each for each in styles[:3] if each not in (now.hair.style, then.hair.style))
    yield from w.open_panel("Vary")
    place = yield from w.find("digidouble.add_rule", below=470)
    yield from w.click(*place)
    worn = sorted({now.wardrobe.outfit, then.wardrobe.outfit})
    for name in worn:
        if name != now.wardrobe.outfit:
            yield from tick(w, place, outfits.index(name), ASKED)
    for name in (style, now.hair.style):
        yield from tick(w, place, styles.index(name), MADE)
    w.picture("new-rule")
    yield from w.press_key("RET", *place)
    yield from settled(w)
    where = {"wardrobe.outfit": worn if len(worn) > 1 else worn[0]}
    assert json.loads(state.document)["rules"] == [{"where": where, "set": {"hair.style": style}}]
    yield from w.open_panel("Double")
    yield from w.press("digidouble.step_variant(by=1)")
    yield from settled(w)
    variant = document.draw(state.document, state.held, state.index)
    assert (variant.wardrobe, variant.hair.style) == (then.wardrobe, style)
    assert rules.standing(state.document, state.held, state.index) == (rules.HOLDS,)
