#!/usr/bin/env bash
# Snakemake never compares a parameter that is a path, a date, a numpy number or a dataclass: a change repeats nothing.
#
# Versions: Snakemake 9.27.1, numpy 2.4.6, Python 3.11.
# Input: five rules, whose one parameter is a text, a pathlib.Path, a date (as YAML reads 2026-01-02), a numpy number
#   and a dataclass. All made; then every parameter has another value.
# Expected: each job is repeated, as `--rerun-triggers` has `params` by default, or a warning that some cannot be
#   compared. Values of types that are not Python's own plain ones are left out of the record, and so out of the
#   comparison, without a word; the commands are given them all the same.
# Seen, is the job planned with another value:
#   str:       1
#   Path:      0
#   date:      0
#   numpy:     0
#   dataclass: 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1 numpy==2.4.6
export PATH="$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
cd "$work"
cat > Snakefile <<'END'
from dataclasses import dataclass
from pathlib import Path
import numpy as np

@dataclass(frozen=True)
class Model:
    path: str

VALUES = {
    "str": config["model"], "Path": Path(config["model"]), "date": config["date"],
    "numpy": np.int64(config["seed"]), "dataclass": Model(config["model"]),
}
for name, value in VALUES.items():
    rule:
        name: name
        output: f"made/{name}"
        params: value=value
        shell: "echo {params.value:q} > {output}"
END
settings() { # $1: model, $2: date, $3: seed
  echo "{model: $1, date: $2, seed: $3}" > config.yaml
}
planned() { # $1: rule
  snakemake --dry-run --cores 1 --configfile config.yaml -- "made/$1" 2>&1 | grep -c "^rule $1:" || true
}

settings a 2026-01-01 1
snakemake --quiet --cores 1 --configfile config.yaml -- made/{str,Path,date,numpy,dataclass} > log 2>&1
settings b 2026-01-02 2
seen=""
for rule in str Path date numpy dataclass; do
  count=$(planned "$rule")
  printf '%-10s %s\n' "$rule:" "$count"
  seen+="$count"
done
[ "$seen" = 10000 ]
