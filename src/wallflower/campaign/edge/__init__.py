"""Where the campaign touches the world: folders, media, fonts, encoders, ZIP files, mirrors."""
