"""The demo: a whole town on one machine, by the same console commands as the handbook."""
