"""Wallflower: letters that ride in the traffic of a film's audience. See docs/architecture.md."""
