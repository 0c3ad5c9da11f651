"""The command line, one module a subject; `cli.py` puts them together. Every command imports what it uses when it runs."""
