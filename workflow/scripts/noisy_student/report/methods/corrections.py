"""How pseudo-labels that persons had corrected were learned from, and what was corrected."""

from collections.abc import Sequence

from noisy_student.cohort.labelled_organs import labelled_in, labels_in
from noisy_student.report.corrections import in_words
from noisy_student.report.numbers import and_, capitalised, count
from noisy_student.report.results import Results
from noisy_student.report.settings import rounds_in_words


def corrections(results: Results) -> str:
    """What a correction counted as, and how many there were; nothing where the configuration asks for none."""
    given = results.run["configuration"].get("corrections")
    if not given:
        return ""
    which = f", of {and_(given['organs'])} alone{_but_for(results, given['organs'])}," if given["organs"] else ""
    since = "in all rounds" if given["validate"] else "from the next round on"
    held_out = "folds held them out as they did labelled scans" if given["validate"] else "no fold validated on them"
    parts = [
        f"Corrections by hand{which} counted as hand labels {since}: as hard labels, whole, passed over by the rules "
        f"for pseudo-labels; {held_out}.",
        f"Of several readers the first of {', '.join(given['readers'])} counted." if given["readers"] else "",
        *(f"{capitalised(in_words(round_, results.organs))}." for round_ in results.rounds if len(round_.corrections)),
    ]
    learned = {round_.number: str(len(round_.corrected)) for round_ in results.rounds if round_.corrected}
    parts += [f"Corrected scans that were learned from: {rounds_in_words(learned, always=True)}."] if learned else []
    return " ".join(filter(None, parts))


def _but_for(results: Results, organs: Sequence[str]) -> str:
    """Of how many corrections other organs than these were named."""
    labels = set(labelled_in(results.organs, organs))
    others = sum(labels_in(cell) != labels for round_ in results.rounds for cell in round_.corrections["organs"])
    return f" (of other organs in {count(others, 'label map')})" if others else ""
