"""With which software, on which machine."""

from typing import Any

from noisy_student.report.results import Results

NAMES = {"system": "operating system", "cpu": "processor", "cores": "cores", "ram_gb": "RAM in GB", "gpu": "GPU"}


def software(results: Results) -> str:
    """Versions, commit, seed and hardware as they were recorded when the run ended; versions of earlier trainings."""
    run = results.run
    versions = ", ".join(f"{name} {version}" for name, version in run.get("versions", {}).items())
    machine = "; ".join(f"{NAMES.get(key, key)}: {value or 'none'}" for key, value in run.get("machine", {}).items())
    commit = str(run.get("git_commit") or "")
    parts = [
        "The workflow ran under Snakemake [5].",
        f"Versions when the record was written: {versions}." if versions else "",
        _trained_with_others(run),
        f"Commit {commit.rstrip('+')}{' with changed files' if commit.endswith('+') else ''}." if commit else "",
        f"Machine that wrote the record: {machine}." if machine else "",
        f"Seed of the experiment: {run.get('seed', 'not recorded')}.",
        "Trainings on a CPU are bit-reproducible; on a GPU they are not.",
    ]
    return " ".join(filter(None, parts))


def _trained_with_others(run: dict[str, Any]) -> str:
    """The trainings that were computed by other versions, which stay when packages change."""
    found: dict[str, list[str]] = {}
    for training, all_versions in run.get("trained_with", {}).items():
        for versions in all_versions:
            others = [f"{name} {version}" for name, version in versions.items() if run["versions"].get(name) != version]
            if others:
                name = training.replace("_", " ").replace("/", ", ")
                found.setdefault(", ".join(others), []).append(name)
    return " ".join(f"Trained with {others}: {'; '.join(trainings)}." for others, trainings in found.items())
