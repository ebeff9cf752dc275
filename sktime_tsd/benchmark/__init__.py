"""Measurements that anyone can rerun; each is a command."""
