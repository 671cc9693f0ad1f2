"""A trained model: its files, whether they may be loaded, and what its networks say of a scan."""
