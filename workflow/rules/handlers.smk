# What is checked when a run starts, what is said then and at its end, and what is recorded of its jobs.
#
# makes  results/jobs.tsv           every job that ended: its rule, state and time
#        results/experiment.json    which experiment these results are of
#        results/call.json          how it was started
#        results/report/live.html   how far the run is, while it goes on

from contextlib import suppress

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger as snakemake_log

from noisy_student.cohort.folder_state import written_since
from noisy_student.keeping import aside, begun_anew, experiment_record, stages
from noisy_student.files import write_text
from noisy_student.model import edited, elsewhere
from noisy_student.plan.halvings import refuse_misfits
from noisy_student.running import absent_rounds, banner, brief, call, cluster, stale_lock, without_effect
from noisy_student.running.at_exit import at_exit_of_this_process
from noisy_student.running.ending import Ending
from noisy_student.running.job_record import JobRecord
from noisy_student.running.live.page import LivePage
from noisy_student.running.live.trainings import Length
from noisy_student.running.tracking.trackers import Trackers

COMMAND = shlex.join(["snakemake", *sys.argv[1:]])
HERE, RESULTS = Path.cwd(), Path("results")
# Command lines that only look at the workflow or at Snakemake's record.
LOOKS = {"--lint", "--list-rules", "--list", "-l", "--summary", "-S", "--detailed-summary", "-D", "--cleanup-metadata"}
STAGES = (
    list(stages.stages_of(CONFIGURATION, dated())) if STORE.root and LOOKS_AT_SCANS and not LOOKS & {*sys.argv} else []
)
ENDING = Ending(Path.cwd(), COMMAND)
LENGTHS = {
    name: Length(network_of_round(number), settings["epochs"], settings["iterations_per_epoch"])
    for number, name in enumerate(CHAIN)
    if not is_taken(number)
    for settings in [CONFIGURATION.training_of(number)]
}
LIVE = LivePage(HERE, COMMAND, LENGTHS, ENDING)
TRACKERS = Trackers(HERE, CONFIGURATION.tracking.places, CHAIN, ENDING)


def asked_for():
    """What was asked for; nothing is known of that before the workflow is read."""
    return workflow.dag_settings.targets if workflow.dag_settings else []


if workflow.is_main_process:
    stale_lock.tell_at_exit(Path.cwd(), COMMAND)
    # In a module the targets are another workflow's.
    if workflow.modifier.is_main_snakefile():
        absent_rounds.tell_at_exit(asked_for, CHAIN, workflow.configfiles)
    if LOOKS_AT_SCANS:
        try:
            experiment_record.refuse_another(CONFIGURATION, RESULTS)
            begun_anew.refuse_foreign(CONFIGURATION, DEPENDS, RESULTS)
            edited.refuse_edited(edited.written_after_their_records(RESULTS))
            STORE.require_usable()
        except InputError as error:
            sys.exit(str(error))
        finished = experiment_record.finished_scans(RESULTS)
        for line in [
            *stages.lost_links(HERE),
            *without_effect.in_words(GIVEN, CONFIGURATION, DEFAULTS),
            *begun_anew.in_words(CONFIGURATION, DEPENDS, RESULTS),
            *begun_anew.kept_in_words(CONFIGURATION, DEPENDS, RESULTS, finished),
        ]:
            print(line, file=sys.stderr)
        if STAGES:
            # Said first, so that nobody removes what is about to be used.
            stages.register(STAGES, STORE, HERE)
            if taken := stages.adopt(STAGES, STORE, HERE):
                print(f"from the store {STORE.root}: {', '.join(taken)}", file=sys.stderr)
                experiment_record.write(CONFIGURATION, RESULTS, finished)
        try:
            # Last, since plans may come from the store.
            refuse_misfits(CONFIGURATION, RESULTS / "plans")
            elsewhere.refuse_unlike_planned(CONFIGURATION, RESULTS / "plans")
        except InputError as error:
            sys.exit(str(error))


def outputs():
    """All that this run's targets need, whether it was there before or not."""
    return {str(path) for job in workflow.dag.jobs for path in job.output}


def share():
    """Put the finished stages of this run's targets into the store, but for those whose corrections are others now."""
    if problem := stages.not_compared({trigger.name for trigger in workflow.rerun_triggers}, workflow.touch):
        print(f"nothing was put into the store {STORE.root}: {problem}", file=sys.stderr)
        return
    try:
        unchanged = list(stages.stages_of(CONFIGURATION, dated(states_of_corrections())))
        if unchanged != STAGES:
            print("corrections changed meanwhile: rounds that depend on them do not enter the store", file=sys.stderr)
        # Files that were touched count as made, whatever they were made from; trainings say that themselves.
        others = begun_anew.not_as_wanted(CONFIGURATION, DEPENDS, RESULTS)
        made = {path for path in outputs() if others.isdisjoint(Path(path).parts)}
        stages.publish([stage for stage in STAGES if stage in unchanged], STORE, HERE, made.__contains__)
        stages.register(STAGES, STORE, HERE)
    except OSError as error:
        print(f"nothing more was put into the store {STORE.root}: {error}", file=sys.stderr)


def share_if_nothing_was_to_do():
    """The same of a run that began finished, after which Snakemake calls no handler."""
    # A drawing of the graph has no executor.
    if workflow.dag is not None and workflow.executor_plugin and not workflow.dryrun and not len(workflow.dag):
        share()


if STAGES:
    at_exit_of_this_process(share_if_nothing_was_to_do)


def say_what_was_written_since_the_check():
    """Scans may have been corrected in their place, which does not change their size."""
    if workflow.dag is None or not workflow.executor_plugin:
        return
    made = {str(path) for job in workflow.dag.needrun_jobs(exclude_finished=False) for path in job.output}
    table = "results/cohort/cases.tsv"
    if newer := [] if table in made else written_since(CONFIGURATION.cohort, HERE / table):
        print(
            f"{len(newer)} file(s) of scans were written after the scans were checked, such as {newer[0]}. If one was"
            " corrected, have them checked again: snakemake -R case_table",
            file=sys.stderr,
        )


if LOOKS_AT_SCANS:
    at_exit_of_this_process(say_what_was_written_since_the_check)


def clear_of_earlier_configurations():
    """Take out of the results what is no part of this run, and would be taken for one: no job makes it anew."""
    for number in CONFIGURATION.trainings:
        folder = RESULTS / f"round_{CONFIGURATION.called(number)}"
        for fold in aside.set_aside_other_folds(folder / "model", CONFIGURATION.folds_of(number)):
            print(f"{fold} is none of `training.folds`: set aside in {RESULTS / aside.SUPERSEDED}", file=sys.stderr)
    for number in set(ROUNDS) - set(CORRECTED):
        folder = RESULTS / f"round_{number}"
        for table in [*folder.glob("corrections*.tsv"), folder / "corrected_findings.tsv"]:
            table.unlink(missing_ok=True)


onstart:
    if workflow.executor_plugin.name == "slurm":
        try:
            cluster.refuse_second_copies(Path.cwd())
        except InputError as error:
            raise WorkflowError(str(error))
    # That a disk is full is said of the job that needs it.
    with suppress(OSError):
        experiment_record.write(CONFIGURATION, RESULTS, experiment_record.finished_scans(RESULTS))
        started = call.record(
            sys.argv[1:],
            workflow.dag_settings.targets,
            CALLED_FROM,
            workflow.configfiles,
            workflow.resource_settings.cores,
        )
        write_text(call.RECORD, json.dumps(started, indent=2))
    clear_of_earlier_configurations()
    brief.on_terminal(snakemake_log)
    # Whose jobs do nothing but touch files, and take no time.
    if not workflow.touch:
        snakemake_log.addHandler(JobRecord(Path("results/jobs.tsv")))
    snakemake_log.addHandler(ENDING.jobs)
    ENDING.begin(log[0])
    snakemake_log.addHandler(LIVE.states)
    LIVE.begin(workflow, [training.place for training in begun_anew.as_wanted(CONFIGURATION, DEPENDS, RESULTS)])
    TRACKERS.begin()
    print(banner.started(Path.cwd(), log[0], len(ROUNDS) - 1, COMMAND, cohort_in_words()), file=sys.stderr)


onsuccess:
    # After a check, or a round that is not the last, the next start still has to say which trainings new scans leave.
    if outputs().issuperset(path for number in CONFIGURATION.trainings for path in checkpoints(number)):
        experiment_record.write(CONFIGURATION, RESULTS, {role: state_of_role(role) for role in ROLES})
    if STAGES:
        share()
    # Without its targets, for all that is to be made.
    ENDING.finish(shlex.join(["snakemake", *call.options(sys.argv[1:], workflow.dag_settings.targets)]))
