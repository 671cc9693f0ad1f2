"""With which software, on which machine."""

from noisy_student.report.results import Results

NAMES = {"system": "operating system", "cpu": "processor", "cores": "cores", "ram_gb": "RAM in GB", "gpu": "GPU"}


def software(results: Results) -> str:
    """Versions, commit, seed and hardware as they were recorded when the run ended."""
    run = results.run
    versions = ", ".join(f"{name} {version}" for name, version in run.get("versions", {}).items())
    machine = "; ".join(f"{NAMES.get(key, key)}: {value or 'none'}" for key, value in run.get("machine", {}).items())
    commit = str(run.get("git_commit") or "")
    parts = [
        f"The workflow ran under Snakemake [5]{f' with {versions}' if versions else ''}.",
        f"Commit {commit.rstrip('+')}{' with changed files' if commit.endswith('+') else ''}." if commit else "",
        f"Machine that wrote the record: {machine}." if machine else "",
        f"Seed of the experiment: {run.get('seed', 'not recorded')}.",
        "Trainings on a CPU are bit-reproducible; on a GPU they are not.",
    ]
    return " ".join(filter(None, parts))
