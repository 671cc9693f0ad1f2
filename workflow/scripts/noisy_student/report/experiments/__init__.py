"""Experiments side by side: tables, figures and words from the result tables of several runs, on one page."""
