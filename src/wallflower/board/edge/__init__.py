"""The only place in the board role that touches the world."""
