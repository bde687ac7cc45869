"""The colours of the street, and where it stands."""

from __future__ import annotations

from demo.brush import Colour

GROUND = 300.0  # the houses' foot, in units from the top
WORLD = (720, 376)  # the whole street in units

BRICK: Colour = (170, 84, 62)
CREAM: Colour = (250, 238, 214)
GOLD: Colour = (236, 194, 104)
INK: Colour = (38, 34, 44)
MORTAR: Colour = (214, 196, 174)
PLASTER: Colour = (238, 204, 170)
RED: Colour = (196, 62, 54)
SAGE: Colour = (96, 134, 112)
SLATE: Colour = (84, 94, 112)
STONE: Colour = (222, 208, 186)
TEAL: Colour = (30, 84, 92)
TERRACOTTA: Colour = (194, 100, 66)
