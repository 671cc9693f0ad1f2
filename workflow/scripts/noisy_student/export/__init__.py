"""A model for use elsewhere."""
