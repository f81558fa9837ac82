"""The only place in the source role that touches the world."""
