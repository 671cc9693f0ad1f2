"""The methods text of a report as tests read it."""

from noisy_student.report.methods import sections


def methods(results) -> str:
    """All sections as one text."""
    return "\n\n".join(f"{title}. {text}" for title, text in sections(results).items())
