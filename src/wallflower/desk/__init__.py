"""The desk: a handler's own computer, where letters are opened and answered.

Nothing here is reachable from the network; the desk asks and posts, and nobody connects to it.
"""
