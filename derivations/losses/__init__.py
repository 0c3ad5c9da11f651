"""Any convex loss: the two sides of the theory (two_sides.py), the contract of a loss (base.py), and one file a loss.

A loss is a module with a `LOSS`. `losses` finds it; nothing else names it.
"""
