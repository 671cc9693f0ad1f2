"""How long the trainings of a round took, from the record of the jobs that ended."""

from noisy_student.report.results import Results


def training_seconds(results: Results, number: int) -> dict[int, float]:
    """Wall seconds of the round's training by fold: the job that finished last, with the failed attempts before it.

    A fold that was not trained here has no entry.
    """
    jobs = results.jobs[results.jobs["rule"] == "train"]
    seconds = {}
    for wildcards, attempts in jobs.groupby("wildcards", sort=False):
        of = dict(word.split("=", 1) for word in str(wildcards).split())
        is_finished = attempts["state"] == "finished"
        if of["round"] == str(number) and is_finished.any():
            training = is_finished.shift(fill_value=False).cumsum()
            last = training[is_finished].iloc[-1]
            seconds[int(of["fold"])] = float(attempts.loc[training == last, "seconds"].sum())
    return seconds


def folds_of(results: Results, number: int) -> list[int]:
    """The folds that the round has, by the configuration; where none was recorded, those that were trained here."""
    configured = results.run.get("configuration", {}).get("training", {}).get("folds")
    return configured or sorted(training_seconds(results, number))
