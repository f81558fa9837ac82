"""A mix: holds each hum for a random time. A and B are one role with two configurations."""
