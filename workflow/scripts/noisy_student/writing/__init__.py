"""Label maps for other programs, with organs' names and colours: one file a format, one door for all."""
