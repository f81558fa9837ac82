"""Bytes in, verified objects out. Only what passes here may be acted upon. No I/O, no clock."""
