# What every stage shares: the checked configuration, where scripts lie, and which jobs there are.

import json
import os
import re
import shlex
import shutil
import sys
from functools import cache, partial
from math import prod
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

# Where a rule's command finds its script. A variable of the environment is seen by rules of a module too.
SCRIPTS = f"{ROOT}/workflow/scripts"
os.environ.update(NOISY_STUDENT=SCRIPTS)
sys.path.insert(0, SCRIPTS)

from noisy_student import memory, organs
from noisy_student.cohort.folder_state import (
    SCANS_VARIABLE,
    dates_of_label_maps,
    state_of,
    state_of_archives,
    state_of_scans,
    state_of_truths,
)
from noisy_student.cohort.missing_roles import refuse_missing_roles
from noisy_student.cohort.places import refuse_wrong_places
from noisy_student.cohort.roles import ROLES
from noisy_student.cohort.scans import folders_of, may_lack_organs, names_truth
from noisy_student.configuration.archive import Archive
from noisy_student.running.command_line import missing_profile, several_configfiles
from noisy_student.configuration.experiment import DEPLOY, read_configuration
from noisy_student.configuration.settings import FirstWeights, RoundStart
from noisy_student.correct import found as corrections_found
from noisy_student.correct.notes import refuse_wrong_notes
from noisy_student.errors import InputError
from noisy_student.keeping.depends import Depends, identity_of
from noisy_student.keeping.store import VARIABLE, Store
from noisy_student.model import elsewhere
from noisy_student.model.checkpoint_names import checkpoints_of_voices
from noisy_student.running import began_with, user_site
from noisy_student.running.repeated_keys import refuse_repeated_keys
from noisy_student.running.tracking.trackers import require_packages
from noisy_student.configuration.selection_rules import SELECTION
from noisy_student.select.words import in_words
from noisy_student.writing.formats import FORMATS

# Looked at once; the jobs of a cluster, which read the workflow too, take it as it is.
CALLED_FROM = Path(workflow.rundir)
# What this workflow is called where it is a module of another one.
MODULE = workflow.modifier.namespace or ""
if workflow.is_main_process:
    beside = Path(workflow.main_snakefile).parent
    if problem := several_configfiles(sys.argv[1:]) or missing_profile(sys.argv[1:], CALLED_FROM, beside):
        sys.exit(problem)
try:
    if workflow.is_main_process:
        refuse_repeated_keys(workflow.configfiles)
        began_with.say(MODULE, config)
    # Persons edit the files meanwhile.
    CONFIGURATION = read_configuration(
        config if workflow.is_main_process else began_with.said(MODULE, config), workflow.configfiles
    )
    # A lock may be taken away, and a report made, while the scans' disk is elsewhere.
    LOOKS_AT_SCANS = workflow.is_main_process and not {"--unlock", "--report"} & set(sys.argv)
    if LOOKS_AT_SCANS:
        refuse_wrong_places(
            CONFIGURATION.cohort,
            [CALLED_FROM, *(Path(file).parent for file in workflow.configfiles)],
            workflow.configfiles,
        )
        refuse_missing_roles(CONFIGURATION)
        elsewhere.look_at(CONFIGURATION)
        require_packages(CONFIGURATION.tracking.places)
        if CONFIGURATION.corrections:
            corrections_found.refuse_misplaced(CONFIGURATION.corrections.folder, len(CONFIGURATION.rounds))
            refuse_wrong_notes(CONFIGURATION.corrections.folder, len(CONFIGURATION.rounds), CONFIGURATION.organs)
except InputError as error:
    sys.exit(str(error))

WAYS = workflow.deployment_settings.deployment_method
IN_THIS_PYTHON = (
    "or run every rule in the current "
    f"Python instead: {shlex.join(['snakemake', *sys.argv[1:], '--workflow-profile', f'{ROOT}/profiles/venv'])}"
)
if DeploymentMethod.CONDA in WAYS:
    if not shutil.which("conda"):
        sys.exit(f"conda was not found. Install Miniforge (https://conda-forge.org/download), {IN_THIS_PYTHON}")
    user_site.leave_out()
if DeploymentMethod.APPTAINER in WAYS:
    if not shutil.which("apptainer") and not shutil.which("singularity"):
        sys.exit(f"apptainer was not found. Install it (https://apptainer.org), {IN_THIS_PYTHON}")
    IMAGE = Path(ROOT, "containers/workflow.sif")
    if not IMAGE.exists():
        build = f"cd {shlex.quote(str(ROOT))} && apptainer build containers/workflow.sif containers/workflow.def"
        sys.exit(f"There is no image {IMAGE}. Make it once: {build}")
    # Jobs need the workflow's folder, which a profile that was copied elsewhere does not know. They are given it with
    # the other arguments.
    if workflow.is_main_process:
        workflow.deployment_settings.apptainer_args += f" --bind {shlex.quote(str(ROOT))}"

    container: str(IMAGE)


def states_of_corrections() -> dict[int, tuple[str, str]]:
    """Each round of whose pseudo-labels there are corrections, with the state of these without and with dates."""
    given = CONFIGURATION.corrections
    return corrections_found.states(given.folder, len(CONFIGURATION.rounds)) if given else {}


def apart(number: int, other: int, least: int = 1) -> int | str:
    """A parameter that may have the value of another one, which is `least` or more, and that one its own.

    Snakemake compares parameters without their names. The smaller of two that may be exchanged is a text here, the
    greater a number, as both were once: what was made then is not made again for that.
    """
    return str(number) if least <= number < other else number


# The label table as scripts take it: what networks and checks know of organs, and what judging needs besides.
ORGANS = organs.to_json(CONFIGURATION.organs, "label", "name", "left_twin")
# By this, labels of models from elsewhere are matched, which know FLARE22's aliases.
OWN_ALIASES = organs.own_aliases(CONFIGURATION.organs)
MATCHED_ORGANS = organs.to_json(CONFIGURATION.organs, "label", "name", "left_twin", *["aliases"] * bool(OWN_ALIASES))
JUDGED_ORGANS = organs.to_json(CONFIGURATION.organs, "label", "name", "tolerance_mm", "z_limited")
ROUNDS = range(len(CONFIGURATION.rounds))
# By name, with the student that is made to be deployed: it is a round that teaches nobody.
CHAIN = [CONFIGURATION.called(number) for number in range(len(CONFIGURATION.chain))]
SHARDS = range(CONFIGURATION.shards)
# What a job with a network asks for. Where there may be a GPU it is one; on a cluster such a job waits for one.
GPU = int(CONFIGURATION.device != "cpu")
if workflow.is_main_process:
    os.environ[corrections_found.VARIABLE] = json.dumps(states_of_corrections())


# Jobs on a cluster are Snakemakes that read this file too, while persons put more into the folder.
envvars:
    corrections_found.VARIABLE,


# The rounds of whose pseudo-labels there were corrections when the run began, and their states. Others have no part in
# any job.
CORRECTED = {int(number): states for number, states in json.loads(os.environ[corrections_found.VARIABLE]).items()}
# Of each model from elsewhere that is the teacher, where it is taken to, and what is known of it.
TEACHERS = {
    f"results/round_0/taken/{number}": seen
    for number, path in enumerate(CONFIGURATION.teacher.models if CONFIGURATION.teacher else [], 1)
    if (seen := elsewhere.known(path))
}
# Whether there may be labelled scans in which only some organs are labelled, which a teacher fills; and which scans a
# teacher labels. For commands, since what is equal without such scans is no reason to make anything anew.
FILLS = may_lack_organs(CONFIGURATION.cohort, CONFIGURATION.organs)
TO_LABEL = f"--roles unlabelled --fewer-than {len(CONFIGURATION.organs)}" if FILLS else "--roles unlabelled"


wildcard_constraints:
    round="|".join(CHAIN),
    shard=r"\d+",
    fold=r"\d+",
    network="|".join(CONFIGURATION.networks),
    label_maps="predictions|pseudo_labels",
    format="|".join(map(re.escape, FORMATS)),
    runtime="onnx|openvino",


def section(model) -> str:
    """A section of the configuration as a script takes it: one JSON text, which also is what reruns a rule.

    Given by a function, since Snakemake looks for wildcards in a parameter that is a text: `{case}` in a path is none.
    """
    return model.model_dump_json()


# How the student that is made to be deployed compares, and what it costs.
COMPARED_DEPLOYED = [
    f"results/round_{name}/{table}.tsv" for name in CHAIN if name == DEPLOY for table in ("comparison", "efficiency")
]


def number_of(wildcards) -> int:
    """The place of a round in the chain."""
    return CONFIGURATION.numbered(wildcards.round)


def folds_of(wildcards) -> list[int]:
    """The folds that a round trains."""
    return CONFIGURATION.folds_of(number_of(wildcards))


def prediction_flags(wildcards) -> str:
    """How a round's own model labels, as flags."""
    return CONFIGURATION.prediction_of(number_of(wildcards)).flags


def labelling_flags(number: int) -> str:
    """The same by number, with the label table for models from elsewhere, whose labels are matched with it."""
    matched = f" --organs {shlex.quote(MATCHED_ORGANS)}" if is_taken(number) else ""
    return CONFIGURATION.prediction_of(number).flags + matched


def selection_rules(wildcards) -> str:
    """The selection of a round in the same form."""
    return SELECTION.dump_json(CONFIGURATION.selection_of(number_of(wildcards))).decode()


def selection_labels(wildcards) -> dict[str, str]:
    """How Snakemake's own report names the selection of a round: by its rules in words."""
    rules = [in_words(rule) for rule in json.loads(selection_rules(wildcards))]
    return {"round": wildcards.round, "kept": "; ".join(rules) or "all"}


def start_of(wildcards):
    """With what weights a round's training begins."""
    return CONFIGURATION.chain[number_of(wildcards)].start


def settings_of_card(wildcards) -> str:
    """What a model card says of a training, as JSON: with what weights it began, and its settings."""
    start = start_of(wildcards)
    if isinstance(start, RoundStart):
        start = f"the weights of round {start.round}"
    elif isinstance(start, FirstWeights):
        seen = elsewhere.known(start.model)
        checksums = ", ".join(seen.sha256.values() if seen else start.sha256)
        start = f"the weights of {start.model.name} (SHA-256 {checksums})"
    return json.dumps({"start": start} | CONFIGURATION.training_of(number_of(wildcards)))


def network_of(wildcards) -> str:
    """The network of a round."""
    return network_of_round(number_of(wildcards))


def network_of_round(number: int) -> str:
    """The same by number; a model from elsewhere has its own."""
    return "elsewhere" if is_taken(number) else CONFIGURATION.chain[number].network


def of_network(path: str):
    """An input that belongs to the network of the job's round."""
    return lambda wildcards: path.format(network=network_of(wildcards))


def is_taken(number) -> bool:
    """Whether a round is a model from elsewhere, so that it is not trained."""
    return CONFIGURATION.teacher is not None and number == 0


def scores_of_label_maps(wildcards) -> str:
    """The table of scores of a round's predictions or pseudo-labels, which is there when all of them are."""
    return f"results/round_{wildcards.round}/{wildcards.label_maps.removesuffix('s')}_scores.tsv"


def labeller(number) -> list[str]:
    """Links to the model that labels after a round, one for each fold: the round's own unless it collapsed."""
    if is_taken(number):
        return checkpoints(number)
    folds = CONFIGURATION.training.folds
    return [f"results/round_{number}/labeller/fold_{fold}/checkpoint_final.pth" for fold in folds]


def teacher_checkpoints(wildcards) -> list[str]:
    """The final checkpoints of the model that labels for a round."""
    return labeller(number_of(wildcards) - 1)


def voices_of_round(number: int) -> list[str]:
    """With which checkpoints of its folds a round's model labels; a model from elsewhere has its final ones alone."""
    return ["final"] if is_taken(number) else CONFIGURATION.training_of(number)["voices"]


def voices_of_teacher(wildcards) -> list[str]:
    """The file that names the same of the model that labels for a round, known when the round before was judged."""
    number = number_of(wildcards) - 1
    return [] if is_taken(number) else [f"results/round_{number}/labeller/voices.json"]


def verdict_before(wildcards) -> list[str]:
    """The verdict on the round before; the first round has none."""
    number = number_of(wildcards)
    return [f"results/round_{number - 1}/verdict.json"] if number else []


def before_training(wildcards) -> str:
    """What the training of a student that may become a teacher needs to know of the round before, as flags."""
    if number_of(wildcards) not in ROUNDS[1:]:
        return ""
    is_judged = CONFIGURATION.collapse.policy == "retrain" and not is_taken(number_of(wildcards) - 1)
    retrain = f" --retrain-below {CONFIGURATION.collapse.noise_band}" if is_judged else ""
    return f"--verdict {verdict_before(wildcards)[0]}{retrain}"


def changes_of_labels(wildcards) -> list[str]:
    """How much the labels changed that a round learned from, if that may end the rounds; round 1 has none before."""
    asked = CONFIGURATION.stop.disagreement_below is not None and number_of(wildcards) > 1
    path = f"results/round_{wildcards.round}/shards/label_measures_{{shard}}.tsv"
    return expand(path, shard=SHARDS) if asked else []


def stop_rule() -> str:
    """What ends the rounds early, as flags."""
    disagreement = CONFIGURATION.stop.disagreement_below
    flags = ["--stop-without-gain"] if CONFIGURATION.stop.without_gain else []
    return " ".join([*flags, *([f"--stop-below {disagreement}"] if disagreement is not None else [])])


def checkpoints(number: int) -> list[str]:
    """The final checkpoints of a round of the chain, one a fold; of a model from elsewhere those of its own folds."""
    if is_taken(number):
        return [f"{folder}/{fold}/checkpoint_final.pth" for folder, seen in TEACHERS.items() for fold in seen.folds]
    model = f"results/round_{CONFIGURATION.called(number)}/model"
    return [f"{model}/fold_{fold}/checkpoint_final.pth" for fold in CONFIGURATION.folds_of(number)]


def checkpoints_to_export(wildcards) -> list[str]:
    """The same of a round that was trained here; a model from elsewhere can be passed on as it is."""
    number = number_of(wildcards)
    if is_taken(number):
        models = " and ".join(map(str, CONFIGURATION.teacher.models))
        raise WorkflowError(f"round {number} is the model {models}: pass that on")
    return checkpoints(number)


def model_of_round(wildcards) -> list[str]:
    """The folder of a round's model, as one text; those of models from elsewhere with the table of their labels."""
    taken = f"{' '.join(TEACHERS)} --organs {shlex.quote(MATCHED_ORGANS)}"
    return [taken if is_taken(number_of(wildcards)) else f"results/round_{wildcards.round}/model"]


def checksums_of_teachers() -> list[str]:
    """What the models from elsewhere that are round 0 are trusted by, with the checksums of one's own."""
    given = CONFIGURATION.teacher.sha256 if TEACHERS else []
    found = [checksum for seen in TEACHERS.values() for checksum in seen.sha256.values()]
    return [*given, *(checksum for checksum in found if checksum not in given)]


def held_out(number) -> list[str]:
    """What a round's folds made of the labelled scans that they held out; a model from elsewhere held out none."""
    if is_taken(number):
        return []
    model = f"results/round_{CONFIGURATION.called(number)}/model"
    return [f"{model}/fold_{fold}/held_out.tsv" for fold in CONFIGURATION.folds_of(number)]


def postprocessing_of_teacher(wildcards) -> list[str]:
    """What was found to help the model that labels for a round, if pseudo-labels are post-processed."""
    number = number_of(wildcards) - 1
    is_chosen = CONFIGURATION.postprocessing.pseudo_labels and not is_taken(number)
    return [f"results/round_{number}/labeller/postprocessing.json"] if is_chosen else []


def postprocessing_of_round(wildcards) -> list[str]:
    """The same of a round's own model, if predictions are post-processed."""
    is_chosen = CONFIGURATION.postprocessing.predictions and not is_taken(number_of(wildcards))
    return [f"results/round_{wildcards.round}/postprocessing.json"] if is_chosen else []


def preprocessed_for_round(wildcards) -> list[str]:
    """The scans as the round's network sees them; a model from elsewhere preprocesses those that it labels itself."""
    number = number_of(wildcards)
    return [] if is_taken(number) else [f"results/preprocessed/{network_of(wildcards)}.tsv"]


def preprocessed_for_teacher(wildcards) -> list[str]:
    """The same for the model that labels for a round."""
    number = number_of(wildcards) - 1
    return [] if is_taken(number) else [f"results/round_{number}/labeller/preprocessed.tsv"]


def same_of_round_before(wildcards, name: str) -> str:
    """Where label maps of the same model may lie already, as a flag: in the round before."""
    number = number_of(wildcards) - 1
    return f"--same-in results/round_{number}/{name}" if number >= (name == "pseudo_labels") else ""


def names_of_archives() -> list[str]:
    """The tables beside which lies whatever tells who an archive's patients are."""
    entries = CONFIGURATION.cohort.folders.entries() if CONFIGURATION.cohort.folders else []
    return sorted({str(entry.names) for entry in entries if isinstance(entry, Archive)})


def flag(name: str, path) -> str:
    """An input as a flag of the command line, where it is given."""
    return f"{name} {path}" if path else ""


def pool_flag() -> str:
    """Whether the sets of a role are judged together too, as a flag."""
    return "--pool-sets" if CONFIGURATION.evaluation.pool_sets else ""


def first_weights(wildcards) -> list[str]:
    """The checkpoint whose weights a training begins with: the same fold of a round before, or one of another model."""
    number, start = number_of(wildcards), start_of(wildcards)
    if isinstance(start, FirstWeights):
        return [f"results/round_{wildcards.round}/first_weights/fold_{wildcards.fold}/checkpoint_final.pth"]
    if isinstance(start, RoundStart):
        return [f"results/round_{start.round}/model/fold_{wildcards.fold}/checkpoint_final.pth"]
    if start != "teacher":
        return []
    same_fold = f"/fold_{wildcards.fold}/"
    return [path for path in labeller(number - 1) if same_fold in path] or labeller(number - 1)[:1]


def start_flag(wildcards, input) -> str:
    """The same as a flag."""
    is_teacher = start_of(wildcards) == "teacher"
    return flag("--start-from" if is_teacher else "--start-from-model", input.start_from)


def online_flag(wildcards) -> str:
    """The models from elsewhere that begin to make the online targets of a network's trainings, as a flag."""
    starts = elsewhere.online_starts(CONFIGURATION).items()
    models = {str(path) for number, path in starts if network_of_round(number) == wildcards.network}
    return flag("--online", shlex.join(sorted(models)))


def cohort_in_words() -> str:
    """Which scans the run works on, and which configuration says so."""
    kind = "generated (cohort.kind: embedded)" if CONFIGURATION.cohort.kind == "embedded" else "those of your folders"
    return f"{kind}, as {', '.join(map(str, workflow.configfiles))} say"


def cohort_inputs() -> list:
    """What the case table is made from: the generated scans, or the user's folders, whose dates say nothing."""
    if CONFIGURATION.cohort.kind == "embedded":
        return ["results/cohort/embedded.done"]
    folders = folders_of(CONFIGURATION.cohort, Path())
    return [ancient(str(path)) for path in folders.paths()]


def cohort_state(wildcards) -> str:
    """What changes when a scan of the user's folders, or a truth, is added, taken away or replaced."""
    if CONFIGURATION.cohort.kind == "embedded":
        return ""
    cohort = CONFIGURATION.cohort
    states = [*map(state_of_role, ROLES), state_of_truths(cohort), *state_of_archives(cohort)]
    return " ".join([*states, dates_of_label_maps(cohort)])


# The states of scans as they were when the run began. Its jobs on a cluster, which read this file too, are told.
SCANS_AT_START = {} if workflow.is_main_process else json.loads(os.environ.get(SCANS_VARIABLE, "{}"))


@cache
def state_of_role(role: str, dates: bool = False) -> str:
    """What changes when a scan of a role is added, taken away or replaced; with `dates`, also by one of equal size."""
    if not dates and role in SCANS_AT_START:
        return SCANS_AT_START[role]
    state = state_of_scans(CONFIGURATION.cohort, role, CONFIGURATION.seed, dates)
    if not dates and workflow.is_main_process:
        SCANS_AT_START[role] = state
        os.environ[SCANS_VARIABLE] = json.dumps(SCANS_AT_START)
    # By which a run knows its label maps; another run in a store may know them by others.
    return f"{state} {json.dumps(OWN_ALIASES)}" if dates and OWN_ALIASES else state


def state_of_corrections(number: int, dates: bool = False, states=CORRECTED) -> str:
    """What changes when a correction of a round's pseudo-labels is added, taken away or replaced; `dates` as above."""
    return states[number][dates] if number in states else ""


DEPENDS = Depends(CONFIGURATION, state_of_role, list(TEACHERS.values()), state_of_corrections)


def dated(states=CORRECTED) -> Depends:
    """The same for a store, in which a file that was written anew is another one, though its size be the same."""
    corrected = partial(state_of_corrections, dates=True, states=states)
    return Depends(CONFIGURATION, partial(state_of_role, dates=True), list(TEACHERS.values()), corrected)


STORE = Store(CONFIGURATION.store and Path(os.path.abspath(CONFIGURATION.store)))
# For the commands of all rules; what is equal in it and out of it is no reason to make anything anew.
os.environ[VARIABLE] = str(STORE.root or "")


def depends_of_training(wildcards) -> str:
    """What a round's training depends on besides its settings, as JSON."""
    return json.dumps(DEPENDS.training(number_of(wildcards)))


def truth_is_known() -> bool:
    """Whether the unlabelled scans have truths that were kept aside."""
    folders = folders_of(CONFIGURATION.cohort, Path())
    return any(map(names_truth, folders.unlabelled))


def embedded_counts() -> str:
    """The embedded cohort's section as command line flags."""
    values = CONFIGURATION.cohort.embedded.model_dump(exclude_none=True, mode="json")
    return shlex.join(part for key, value in values.items() for part in (f"--{key.replace('_', '-')}", str(value)))


def painted_around() -> dict[str, str]:
    """As `params`, what changes when a label map does that the embedded cohort is painted around, if it is."""
    cohort = CONFIGURATION.cohort
    around = cohort.embedded.label_maps if cohort.kind == "embedded" else None
    return {"label_maps": state_of([around])} if around else {}


def test_scans_are_given() -> bool:
    """Whether the cohort has test scans."""
    return bool(folders_of(CONFIGURATION.cohort, Path()).test)


def earlier_label_sets(wildcards) -> range:
    """The rounds before whose pseudo-labels this round's are compared with: two, as by FLARE22's winner."""
    return range(max(1, number_of(wildcards) - 2), number_of(wildcards))


def selection_of_student(wildcards) -> list[str]:
    """Which pseudo-labels a student learns from; the teacher has none."""
    return [f"results/round_{wildcards.round}/selection.tsv"] if number_of(wildcards) else []


def filling_of_student(wildcards) -> list[str]:
    """Which partly labelled scans were filled that a student learns from."""
    return [f"results/round_{wildcards.round}/filling.tsv"] if FILLS and number_of(wildcards) else []


def corrections_of_student(wildcards) -> list[str]:
    """The tables of the corrected label maps that are hand labels in a round."""
    counting = [number for number in CONFIGURATION.corrections_in(number_of(wildcards)) if number in CORRECTED]
    return [f"results/round_{number}/corrected.tsv" for number in counting]


def corrected_flags(tables) -> str:
    """The same as flags; nothing where there are none."""
    validate = " --validate-corrected" * bool(tables and CONFIGURATION.corrections.validates)
    return flag(" --corrected", tables) + validate


def corrections_up_to(number: int) -> list[str]:
    """What was corrected of the pseudo-labels of the rounds up to this one."""
    return [f"results/round_{before}/corrections.tsv" for before in CORRECTED if before <= number]


def pseudo_labels_of_student(wildcards) -> str:
    """The same as flags."""
    folder = f"results/round_{wildcards.round}"
    flags = f"--selection {folder}/selection.tsv --pseudo-labels {folder}/pseudo_labels"
    flags += CONFIGURATION.voxel_confidence_of(number_of(wildcards)).flag + soft_flag(wildcards)
    return flags if number_of(wildcards) else ""


def soft_flag(wildcards) -> str:
    """Whether a round's student learns from soft labels, as a flag."""
    return " --soft" * (CONFIGURATION.targets_of(number_of(wildcards)) != "hard")


def soft_labels_flag(wildcards) -> str:
    """Whether a round needs its teacher's soft labels, as a flag."""
    return " --soft" * CONFIGURATION.labels_softly(number_of(wildcards))


def usual_volumes(wildcards) -> list[str]:
    """The labelled scans' measures, where a student learns by organs' usual volumes."""
    number = number_of(wildcards)
    fills = FILLS or corrections_of_student(wildcards)
    compares = number and (fills or CONFIGURATION.voxel_confidence_of(number).compares_volumes)
    return ["results/cohort/labelled_measures.tsv"] if compares else []


def whole_machine() -> int:
    """All cores that Snakemake was given, so that nothing of this run disturbs a measurement.

    8 on a cluster, where other jobs may have the others of a node.
    """
    return workflow.resource_settings.cores or 8


def used_spacings(*others) -> str:
    """The spacing of every network that some round uses (mm; z, y, x; null where nnU-Net is to choose it), as JSON.

    No `params`: another plan needs no other case table and no other conversion. `others` stand after them.
    """
    used = [CONFIGURATION.networks[name].spacing_mm_zyx for name in CONFIGURATION.used_networks]
    return json.dumps([*used, *others])


def all_spacings() -> str:
    """The same with those of models from elsewhere, for which nothing is preprocessed beforehand."""
    return used_spacings(*(seen.spacing_mm_zyx for seen in TEACHERS.values()))


def room_flags() -> str:
    """What the need for labelled scans, disk and memory follows from, as text of a command."""
    flags = f"--spacings '{used_spacings()}' --rounds {len(CHAIN)} --classes {len(CONFIGURATION.organs) + 1}"
    if CONFIGURATION.trainings:
        flags += f" --splits {CONFIGURATION.training.splits}"
    if 0 in CONFIGURATION.trainings:
        # What a teacher from elsewhere knows, it need not learn.
        folds = " ".join(map(str, CONFIGURATION.folds_of(0)))
        flags += f" --organs {shlex.quote(ORGANS)} --folds {folds} --seed {CONFIGURATION.seed}"
    return flags.replace("{", "{{").replace("}", "}}")


def memory_for(need: memory.Need):
    """The memory that a job asks a cluster for: by the largest scan and the finest used network, more every attempt."""
    spacings = [CONFIGURATION.networks[name].spacing_mm_zyx for name in CONFIGURATION.used_networks]
    finest = min(spacings, key=prod, default=None) if all(spacings) else None
    return lambda wildcards, input, attempt: need.memory_mb(Path(input.cases), finest, attempt)


def mirrorings(axes) -> int:
    """How often a network sees each scan, if it may be mirrored along these axes."""
    return 2 ** len(set(axes)) if CONFIGURATION.prediction.mirroring else 1


def most_voices(number: int) -> int:
    """The most checkpoints of a fold that may label after a round: after a collapse an earlier round's model labels."""
    return max(len(checkpoints_of_voices(voices_of_round(before))) for before in range(number + 1))


def memory_to_label(rounds_before: int):
    """The memory for labelling with the model of so many rounds before; those from elsewhere have their own grid."""
    classes, passes = len(CONFIGURATION.organs) + 1, mirrorings(CONFIGURATION.training.mirror_axes)

    def needed(wildcards, input, attempt):
        number = number_of(wildcards) - rounds_before
        if not is_taken(number):
            networks = len(CONFIGURATION.folds_of(number)) * (most_voices(number) if rounds_before else 1)
            return memory_for(memory.labelling(classes, networks, passes))(wildcards, input, attempt)
        cases = Path(input.cases)
        networks = sum(len(seen.folds) for seen in TEACHERS.values())
        # They may mirror along both axes, whatever this run's do.
        more = (networks, mirrorings(("z", "y")))
        needs = [(memory.labelling_as_given(seen.classes, *more), seen.spacing_mm_zyx) for seen in TEACHERS.values()]
        return max(need.memory_mb(cases, tuple(spacing), attempt) for need, spacing in needs)

    return needed
