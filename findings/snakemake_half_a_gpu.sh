#!/usr/bin/env bash
# Snakemake takes `gpu=0.5` for no GPU at all: all jobs start at once on the one GPU instead of two.
#
# Versions: Snakemake 9.27.0, Python 3.11.
# Input: four jobs with `resources: gpu=0.5`, run with `--resources gpu=1`; the same with gpu=1.
# Expected: two jobs at a time, or an error, as resources are counted in whole numbers. The half is rounded to the
#   nearest even number, 0, without a word in the log but `gpu=0`, and the limit no longer holds anything back.
# Seen, jobs that ran at the same time:
#   gpu=1:   1
#   gpu=0.5: 4, the log says gpu=0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.0
export PATH="$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"

most_at_once() { # $1: what each job asks for. Each job notes how many are running, itself included, once it has waited.
  mkdir "$work/$1"
  cat > "$work/$1/Snakefile" <<EOF
rule all:
    input: expand("done/{job}", job=range(4))

rule job:
    output: "done/{job}"
    resources: gpu=$1
    shell: "mkdir -p running; touch running/{wildcards.job}; sleep 4; ls running | wc -l >> counts;"
           "sleep 1; rm running/{wildcards.job}; touch {output}"
EOF
  snakemake --directory "$work/$1" --snakefile "$work/$1/Snakefile" --cores 4 --resources gpu=1 2> "$work/$1/log"
  sort -n "$work/$1/counts" | tail -1
}

whole=$(most_at_once 1)
half=$(most_at_once 0.5)
echo "gpu=1:   $whole"
said=$(sed -n 's|.*resources: .*\(gpu=[0-9][0-9.]*\).*|\1|p' "$work/0.5/log" | sort -u)
echo "gpu=0.5: $half, the log says $said"
[ "$whole" -eq 1 ] && [ "$half" -eq 4 ] && [ "$said" = gpu=0 ]
