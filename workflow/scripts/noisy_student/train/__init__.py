"""A round's dataset and its training."""
