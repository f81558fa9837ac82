"""Where the campaign touches files, fonts and encoders."""
