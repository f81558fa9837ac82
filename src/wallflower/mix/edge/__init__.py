"""The only place in a mix that touches the world."""
