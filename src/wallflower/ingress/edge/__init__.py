"""The only place in ingress that touches the world."""
