"""DSC and NSD by the challenge's rules, their aggregates, rounds compared."""
