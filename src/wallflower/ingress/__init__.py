"""Ingress: takes cells from everyone, keeps them until A pulls. It judges nothing but a length."""
