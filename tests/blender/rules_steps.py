"""Steps of an artist who makes a rule by clicking, and goes on to a variant that it suits."""

import json

from window import settled

COLUMNS = (-337, -184, -31)
"""From the button that opens the dialog to the middles of its three columns of names, at 100 %."""
ASKED, MADE, ROW = 362, 279, 23
"""The dialog stands on the window's lower edge. From there up to the outfits and to the first hairstyles; from row to
row of these."""


def name(place, number, bottom):
    """Where a name of a dialog's grid is."""
    return place[0] + COLUMNS[number % 3], bottom - ROW * (number // 3)


def rule(w):
    """If the outfit is the next variant's, then the hair is another one: said in the dialog, and seen there."""
    from bl_ext.user_default.digidouble import document, rules

    from farm.recipe import templates

    state = w.scene().digidouble
    outfits, styles = templates.names("wardrobe"), templates.names("hairstyles")
    now, then = (document.draw(state.document, state.held, state.index + on) for on in (0, 1))
    style = next(each for each in styles[:3] if each not in (now.hair.style, then.hair.style))
    yield from w.open_panel("Vary")
    place = yield from w.find("digidouble.add_rule", below=470)
    yield from w.click(*place)
    changed = {now.wardrobe.outfit} ^ {then.wardrobe.outfit}
    for number in sorted(map(outfits.index, changed)):
        yield from w.click(*name(place, number, ASKED))
    for number in (styles.index(style), styles.index(now.hair.style)):
        yield from w.click(*name(place, number, MADE))
    w.picture("new-rule")
    yield from w.press_key("RET", *map(int, place))
    yield from settled(w)
    made = {"where": {"wardrobe.outfit": then.wardrobe.outfit}, "set": {"hair.style": style}}
    assert json.loads(state.document)["rules"] == [made]
    yield from w.open_panel("Double")
    yield from w.press("digidouble.step_variant(by=1)")
    yield from settled(w)
    variant = document.draw(state.document, state.held, state.index)
    assert (variant.wardrobe, variant.hair.style) == (then.wardrobe, style)
    assert rules.standing(state.document, state.held, state.index) == (rules.HOLDS,)
    yield from w.open_panel("Vary")
    w.picture("rule-holds")


def steps(w):
    """With a double in the window, one panel open."""
    yield from rule(w)
