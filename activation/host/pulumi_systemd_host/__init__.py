"""Brings one host to the state that a bundle describes, in one transaction."""
