"""The student that was made to be deployed: what taught it, how it was trained, and how it labels."""

from noisy_student.report.deployed_table import taught_by
from noisy_student.report.methods.labelling import WINDOWS, mirroring
from noisy_student.report.methods.training import length, network_in_words
from noisy_student.report.results import Results
from noisy_student.report.settings import (
    bounds_in_words,
    fine_tuning_in_words,
    first_weights,
    network_of,
    noise_in_words,
    seed_of,
    selection_rules,
    targets,
    training_settings,
    voxel_confidence,
)
from noisy_student.select.words import in_words


def deployment(results: Results) -> str:
    """Nothing where no such student is made; optimizer, loss and draws are those of all students."""
    run = results.run
    configuration = run["configuration"]
    if not configuration.get("deploy"):
        return ""
    number, own = len(configuration["rounds"]), configuration["deploy"]["prediction"]
    settings, name = training_settings(run, number), network_of(run, number)
    planned = next((network for network in results.networks if network.name == name), None)
    rules = "; ".join(map(in_words, selection_rules(run, number))) or "all"
    network = network_in_words(name, configuration["networks"][name], planned, "this student")
    least = bounds_in_words(voxel_confidence(run, number))
    trained = {
        "first weights": first_weights(run, number, results.deployed.took_weights if results.deployed else None),
        "seed": seed_of(run, number),
        "length": length(settings),
        "learning rate from": f"{settings['learning_rate']:g}",
        "noise": noise_in_words(settings["noise"]),
        "epochs at the end on hand-labelled scans alone": fine_tuning_in_words(run, number),
        "targets": targets(run, number),
        "voxels left out of the loss": least or "none",
    }
    kept = f" ({share})" if results.deployed and (share := results.deployed.share_kept) else ""
    return (
        f"After the last round a student was made to be deployed, which labelled for no other: one network, of fold "
        f"{settings['folds'][0]}. {network} It learned from the hand-labelled scans and from those that "
        f"{taught_by(results).name} labelled, kept by these rules: {rules}{kept}. Its training: "
        f"{'; '.join(f'{what} {value}' for what, value in trained.items())}. It labelled with windows "
        f"{WINDOWS[own['windows']]}, in steps of {own['step_size']:g} of the patch and with "
        f"{mirroring(own['mirroring'], configuration['training']['mirror_axes'])}."
    )
