"""The report: tables, figures and words from the result tables of a run, on one page."""
