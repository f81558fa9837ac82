"""The campaign: the page, its film, and the static site that any host can serve."""
