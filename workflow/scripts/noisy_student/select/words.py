"""A rule of a selection in words, for the methods text."""

from typing import Any


def in_words(rule: dict[str, Any]) -> str:
    """What one rule, as the configuration holds it, keeps or masks."""
    match rule["rule"]:
        case "threshold" if rule["action"] == "mask":
            if rule["over"] != "mean":
                return f"{rule['over']} was used where its {rule['score']} was {_bounds(rule)}, else masked"
            return f"organs with {rule['score']} {_bounds(rule)} were used, others masked"
        case "threshold":
            return f"{_score(rule)} {_bounds(rule)}"
        case "top":
            how_many = f"best {rule['scans']}" if rule["scans"] else f"best {100 * rule['share']:.4g} %"
            return f"the {how_many} by {_score(rule)}{' of each ' + rule['per'] if rule['per'] else ''}"
        case "plausible":
            what = f"volume beyond {rule['volume_factor']:g} times the labelled range, or over"
            sides = ", or on the wrong side" if rule["sides"] else ""
            text = f"organs with a {what} {rule['stray_share']:.0%} apart from their largest piece{sides}"
            return f"{text}, were masked" if rule["action"] == "mask" else f"no {text}"
    raise ValueError(f"no words for the rule {rule['rule']}")


def _score(rule: dict[str, Any]) -> str:
    name = rule["score"].replace("_", " ")
    return name if name == "organs" or rule["over"] == "mean" else f"{name} ({rule['over']})"


def _bounds(rule: dict[str, Any]) -> str:
    bounds = {"at least": rule["at_least"], "at most": rule["at_most"]}
    return " and ".join(f"{name} {value:g}" for name, value in bounds.items() if value is not None)
