"""Where making a campaign touches the world: the preview's server."""
