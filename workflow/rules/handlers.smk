# What is checked when a run starts, what is said then and at its end, and what is recorded of its jobs.
#
# makes  results/jobs.tsv    every job that ended: its rule, state and time

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger as snakemake_log

from noisy_student.running import banner, brief, cluster, stale_lock
from noisy_student.running.ending import Ending
from noisy_student.running.job_record import JobRecord

COMMAND = shlex.join(["snakemake", *sys.argv[1:]])
ENDING = Ending(Path.cwd(), COMMAND)

if workflow.is_main_process:
    stale_lock.tell_at_exit(Path.cwd(), COMMAND)


onstart:
    if workflow.executor_plugin.name == "slurm":
        try:
            cluster.refuse_second_copies(Path.cwd())
        except InputError as error:
            raise WorkflowError(str(error))
    brief.on_terminal(snakemake_log)
    snakemake_log.addHandler(JobRecord(Path("results/jobs.tsv")))
    snakemake_log.addHandler(ENDING.jobs)
    ENDING.begin(log[0])
    print(banner.started(Path.cwd(), log[0], len(ROUNDS) - 1, COMMAND, cohort_in_words()), file=sys.stderr)


onsuccess:
    # Without its targets, for all that is to be made.
    ENDING.finish(
        shlex.join(["snakemake", *(word for word in sys.argv[1:] if word not in workflow.dag_settings.targets)])
    )
