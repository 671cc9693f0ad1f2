"""What labelling a scan costs, measured as in the challenge."""
