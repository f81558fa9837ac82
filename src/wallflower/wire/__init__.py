"""Every structure that travels, one module each, named as its page in `spec/`. Pure."""
