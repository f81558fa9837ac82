"""Thin doors to `cryptography`: suite 1 and nothing else. Spec: crypto.md."""
