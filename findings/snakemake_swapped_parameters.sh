#!/usr/bin/env bash
# Snakemake compares the values of a rule's parameters without their names: two that are exchanged repeat nothing.
#
# Versions: Snakemake 9.27.1, Python 3.11.
# Input: a rule with `params: mirror=…, tta=…`, once with mirror True and tta False; then one of the two changed alone;
#   then mirror False and tta True. Another with three numbers: batch 2, classes 14, patches 14; then batch 2, classes
#   2, patches 14.
# Expected: each change repeats the job, as `--rerun-triggers` has `params` by default. The record holds values alone
#   and is compared as a set: exchanged values, and one that another parameter has too, are the same set. Snakemake says
#   "Nothing to be done", and the result of the old parameters stays.
# Seen, is the job planned:
#   mirror True, tta False → False, False: 1
#   mirror True, tta False → False, True:  0
#   2, 14, 14 → 2, 2, 14:                  0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
export PATH="$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
cd "$work"
cat > Snakefile <<'END'
rule flags:
    output: "flags"
    params: mirror=config["mirror"], tta=config["tta"]
    shell: "echo {params.mirror} {params.tta} > {output}"

rule numbers:
    output: "numbers"
    params: batch=config["batch"], classes=config["classes"], patches=config["patches"]
    shell: "echo {params.batch} {params.classes} {params.patches} > {output}"
END
settings() { # $1 to $5: their values
  echo "{mirror: $1, tta: $2, batch: $3, classes: $4, patches: $5}" > config.yaml
}
planned() { # $1: target
  snakemake --dry-run --cores 1 --configfile config.yaml -- "$1" 2>&1 | grep -c "^rule $1:" || true
}

settings true false 2 14 14
snakemake --quiet --cores 1 --configfile config.yaml -- flags numbers > log 2>&1
settings false false 2 14 14
one=$(planned flags)
settings false true 2 2 14
exchanged=$(planned flags)
other=$(planned numbers)
echo "mirror True, tta False → False, False: $one"
echo "mirror True, tta False → False, True:  $exchanged"
echo "2, 14, 14 → 2, 2, 14:                  $other"
[ "$one" -eq 1 ] && [ "$exchanged" -eq 0 ] && [ "$other" -eq 0 ]
