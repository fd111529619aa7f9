"""Looks at one unit, and restarts it within a budget while it is not well. One run is one check."""
