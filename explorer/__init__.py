"""The theory in a browser: one self-contained page whose solver runs on JavaScript that the derivation generates."""
