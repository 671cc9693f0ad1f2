"""What was done to which scans: the design in two sentences, where the scans come from, which are labelled in part."""

from collections.abc import Mapping

from noisy_student.cohort.labelled_organs import LABELLED_SHARE
from noisy_student.report.labelled_organs import partly_labelled
from noisy_student.report.numbers import and_, count
from noisy_student.report.results import Results
from noisy_student.report.settings import rounds_in_words
from noisy_student.sets import sizes


def design(results: Results) -> str:
    """Teacher and students, and what took no part in them."""
    number = _counts(results)
    sets = {role: _sets(names) for role, names in sizes(results.cases).items()}
    return (
        f"{count(len(results.organs), 'organ')} {'was' if len(results.organs) == 1 else 'were'} segmented in CT by "
        f"{_learners(results, number)}. {number['validation']} validation{sets.get('validation', '')} and "
        f"{number['test']} test scans{sets.get('test', '')} took no part in training or selection."
    )


def _learners(results: Results, number: Mapping[str, int]) -> str:
    """Teacher and students, by the scans of each role; of a run that has but a teacher, this alone."""
    students, origin = results.students, from_elsewhere(results)
    labelled = count(number["labelled"], "hand-labelled scan")
    of_labelled = f"those of {labelled} that its folds did not hold out"
    if len(results.chain) == 1:
        own = f"the teacher of noisy-student training [1, 2] alone: it learned from {of_labelled}"
        return origin.rstrip(",") or own
    teacher = f"{origin} labelled" if origin else f"a teacher learned from {of_labelled} and labelled"
    both = f"these and {of_labelled}" if origin else "both"
    times = f"{students} time{'' if students == 1 else 's'}"
    became = f"became the next teacher, {times}" if students else "was made to be deployed"
    return (
        f"noisy-student training [1, 2]: {teacher} {number['unlabelled']} unlabelled {'scans' if origin else 'ones'}; "
        f"a student learned from {both} and {became}"
    )


def from_elsewhere(results: Results) -> str:
    """The models that round 0 is, with their checksums; empty if it was trained."""
    taken = results.rounds[0].taken if results.rounds else []
    models = "; ".join(f"{model['model']}, SHA-256 {', '.join(model['sha256'].values())}" for model in taken)
    if len(taken) < 2:
        return f"a teacher from elsewhere ({models})" if taken else ""
    how = {"mean": "by their mean", "vote": "by vote"}[results.rounds[0].verdict["together"]]
    return f"{len(taken)} teachers from elsewhere ({models}) together, {how},"


def scans(results: Results) -> str:
    """Where the scans come from, and how those are learned from that are labelled in part."""
    cohort = results.run["configuration"]["cohort"]
    parts = [
        _generated(cohort["embedded"]) if cohort["kind"] == "embedded" else _sources(results),
        f"Organs and their labels: {', '.join(f'{organ.name} {organ.label}' for organ in results.organs)}.",
        _accepted(cohort["accept"]),
        _preprocessing(results),
        _partly_labelled(results),
        _sparse(results),
    ]
    return " ".join(filter(None, parts))


def _counts(results: Results) -> dict[str, int]:
    counts = results.cases["role"].value_counts()
    return {role: int(counts.get(role, 0)) for role in ("labelled", "unlabelled", "validation", "test")}


def _sets(names: dict[str, int]) -> str:
    """How many scans each set of a role has, where there are several."""
    return f" ({', '.join(f'{number} “{name}”' for name, number in names.items())})" if len(names) > 1 else ""


def _generated(embedded: dict[str, object]) -> str:
    label_maps = embedded["label_maps"]
    how = f"painted around the label maps in {label_maps}" if label_maps else "with their anatomy"
    numbers = ", ".join(f"{embedded[role]} {role}" for role in ("labelled", "unlabelled", "validation", "test"))
    return (
        f"No scan is a patient’s: all were generated {how} ({numbers}; variation {embedded['variation']:g}, the "
        "labelled ones varying least)."
    )


def _sources(results: Results) -> str:
    sources = results.cases["source"].fillna("not given").groupby(results.cases["role"]).unique()
    said = [f"{role} from {and_(f'“{name}”' for name in names)}" for role, names in sources.items()]
    return f"Sources of the scans: {'; '.join(said)}."


def _accepted(names: list[str]) -> str:
    if not names:
        return ""
    return f"Scans of {and_(names)} were used though no CT in Hounsfield units, or not one acquisition."


def _preprocessing(results: Results) -> str:
    """Of networks that were trained here; a model from elsewhere prepares scans by its own plans."""
    own = (
        "Scans were brought to one orientation, resampled to the network’s spacing, and normalised as nnU-Net does it "
        "for CT, by the labelled scans’ intensities."
    )
    taken = results.rounds[0].taken if results.rounds else []
    theirs = f"For round 0 scans were prepared by the plans of the model{'s' * (len(taken) > 1)} from elsewhere."
    return " ".join([*([own] if len(results.chain) > 1 or not taken else []), *([theirs] if taken else [])])


def _partly_labelled(results: Results) -> str:
    """How scans with only some organs labelled were learned from, and in how many the teacher filled in others."""
    partly = len(partly_labelled(results))
    if not partly or not any(round_.training for round_ in results.chain):
        return ""
    labelled = _counts(results)["labelled"]
    marginal = (
        f"In {partly} of {labelled} labelled scans only some organs are labelled: a voxel of their background may be "
        "background or any other organ, and was learned with the summed probability of these in cross-entropy (the "
        "marginal loss of Shi et al., Medical Image Analysis 2021) and left out of these organs’ Dice."
    )
    filled = {round_.number: f"{round_.filled} of {len(round_.filling)}" for round_ in results.rounds if round_.filled}
    if not filled:
        return marginal
    return (
        f"{marginal} In this background, and nowhere else, students learned the teacher’s labels of the other organs, "
        f"in the scans whose labels the rules for pseudo-labels kept ({rounds_in_words(filled, always=True)})."
    )


def _sparse(results: Results) -> str:
    """In how many scans only some voxels are labelled, how many of them, and what became of the others."""
    cases = results.cases[results.cases["role"] == "labelled"]
    shares = cases[LABELLED_SHARE].dropna()
    if not len(shares):
        return ""
    how_much = " to ".join(dict.fromkeys(f"{share:.1%}" for share in (shares.min(), shares.max())))
    return (
        f"In {len(shares)} of {len(cases)} labelled scans only some voxels are labelled ({how_much} of them). The "
        "others took no part in the loss, in organs’ intensities and volumes, and in the DSC of held-out scans; a "
        "voxel of the network’s grid is labelled if a labelled one lies in it."
    )
