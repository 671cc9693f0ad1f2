#!/usr/bin/env bash
# An `ancient()` input hides that a job's own parameter has changed, whenever the job that makes that input runs too.
#
# Versions: Snakemake 9.27.0, Python 3.11.
# Input: `table` from a file, `train` from ancient(table) with the parameter `epochs`. All made with epochs 1; then
#   epochs 2 alone, and epochs 2 together with a changed file.
# Expected: `train` is planned in both cases, as its parameter has changed. In the second it is not: jobs after one that
#   runs are not compared with their record, as they would be repeated anyway, which `ancient` then forbids. The run
#   ends well with the old training; the next one finds the change.
# Seen, is `train` planned:
#   other epochs:                   1
#   other epochs and another file:  0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.0
export PATH="$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
cd "$work"
cat > Snakefile <<'EOF'
rule train:
    input: ancient("table")
    output: "model"
    params: epochs=config["epochs"]
    shell: "echo {params.epochs} > {output}"

rule table:
    input: "file"
    output: "table"
    shell: "cp {input} {output}"
EOF
planned() { # $1: epochs
  snakemake --dry-run --cores 1 --config epochs="$1" 2>&1 | grep -c '^rule train:' || true
}

echo one > file
snakemake --quiet --cores 1 --config epochs=1 > log 2>&1
alone=$(planned 2)
sleep 1.1
echo two > file
together=$(planned 2)
echo "other epochs:                   $alone"
echo "other epochs and another file:  $together"
[ "$alone" -eq 1 ] && [ "$together" -eq 0 ]
