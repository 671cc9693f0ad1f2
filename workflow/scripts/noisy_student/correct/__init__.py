"""Label maps that persons have corrected: found, checked, compared with what was handed out, chosen among readers."""
