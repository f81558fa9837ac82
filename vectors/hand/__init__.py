"""The spec by hand: every structure assembled and read with raw primitives and no implementation.

Nothing here imports `wallflower` or the page. Where the two implementations and this agree, the
spec has been read the same way three times.
"""
