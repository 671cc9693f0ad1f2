# What is checked when a run starts, what is said then and at its end, and what is recorded of its jobs.
#
# makes  results/jobs.tsv    every job that ended: its rule, state and time

from snakemake.logging import logger as snakemake_log

from noisy_student import banner, cluster
from noisy_student.job_record import JobRecord


onstart:
    if workflow.executor_plugin.name == "slurm":
        try:
            cluster.refuse_second_copies(Path.cwd())
        except InputError as error:
            raise WorkflowError(str(error))
    snakemake_log.addHandler(JobRecord(Path("results/jobs.tsv")))
    print(banner.started(Path.cwd(), log[0], len(ROUNDS) - 1), file=sys.stderr)


onsuccess:
    print(banner.finished(Path.cwd(), log[0]), file=sys.stderr)


onerror:
    print(banner.failed(Path.cwd(), log[0]), file=sys.stderr)
