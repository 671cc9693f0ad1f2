"""A methods text ready to paste, from the record of the run alone; whatever bears on results is in it.

Of a key of the configuration it says nothing only where `placing.py` says why.
"""

from noisy_student.report.methods.corrections import corrections
from noisy_student.report.methods.deployment import deployment
from noisy_student.report.methods.judging import efficiency, evaluation
from noisy_student.report.methods.labelling import inference, postprocessing, pseudo_labels, soft_rounds
from noisy_student.report.methods.run import software
from noisy_student.report.methods.scans import design, scans
from noisy_student.report.methods.training import collapse, networks, training
from noisy_student.report.paper import CITATION
from noisy_student.report.placing import further
from noisy_student.report.results import Results

REFERENCES = (
    CITATION,
    "Xie et al., Self-training with Noisy Student improves ImageNet classification, CVPR 2020",
    "Isensee et al., nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation, "
    "Nature Methods 18, 203–211, 2021",
    "Ma et al., Unleashing the strengths of unlabelled data in deep learning-assisted pan-cancer abdominal organ "
    "quantification: the FLARE22 challenge, Lancet Digital Health 6, e815–e826, 2024",
    "Mölder et al., Sustainable data analysis with Snakemake, F1000Research 10:33, 2021",
)
SOFT_REFERENCE = "Wang et al., Dice Semimetric Losses: Optimizing the Dice Score with Soft Labels, MICCAI 2023"
SECTIONS = {
    "Design": design,
    "Scans": scans,
    "Networks": networks,
    "Training": training,
    "Collapse and early end": collapse,
    "Pseudo-labels": pseudo_labels,
    "Corrections": corrections,
    "Inference": inference,
    "Post-processing": postprocessing,
    "Deployment": deployment,
    "Evaluation": evaluation,
    "Efficiency": efficiency,
    "Software and hardware": software,
}
# What can be said without a record of the run.
UNRECORDED = ("Design",)


def sections(results: Results) -> dict[str, str]:
    """What was done, with this run's own numbers: title → paragraph, without those that have nothing to say."""
    configuration = results.run.get("configuration")
    said = {
        title: f"{write(results)} {further(title, configuration or {})}".strip()
        for title, write in SECTIONS.items()
        if configuration or title in UNRECORDED
    }
    return {title: text for title, text in said.items() if text}


def references(results: Results) -> tuple[str, ...]:
    """What the methods text cites, by number; [6] is of soft targets alone."""
    return (*REFERENCES, SOFT_REFERENCE) if soft_rounds(results) else REFERENCES


def citation(results: Results) -> str:
    """The workflow as it is cited, with the version and commit of this run; [1] and [3] are of `REFERENCES`."""
    version = results.run.get("versions", {}).get("flare-noisy-student", "")
    commit = str(results.run.get("git_commit") or "").rstrip("+")
    name = " ".join(part for part in ("flare-noisy-student", version) if part) + (
        f", commit {commit}" if commit else ""
    )
    return (
        f"The flare-noisy-student developers, {name}: noisy-student training for CT organ segmentation as one "
        "reproducible workflow. Cite with it nnU-Net [3] and the method’s paper [1]."
    )
