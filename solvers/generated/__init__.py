"""The modules generated from the derivations by `python cli.py derive`."""
