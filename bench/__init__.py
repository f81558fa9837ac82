"""Measures what the roles can do on this machine. `make bench`; what each figure is: README.md."""
