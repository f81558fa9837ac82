"""Where the campaign touches the world: folders, media, ZIP files and mirrors."""
