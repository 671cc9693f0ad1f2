"""What a job is called: its rule, and the wildcards that tell it from other jobs of the rule."""

from collections.abc import Mapping


def wildcards_in_words(wildcards: Mapping[str, str]) -> str:
    """As in `round=1 fold=0`."""
    return " ".join(f"{name}={value}" for name, value in wildcards.items())


def job_name(rule: str, wildcards: Mapping[str, str]) -> str:
    """As in `train round=1 fold=0`."""
    return f"{rule} {wildcards_in_words(wildcards)}".rstrip()
