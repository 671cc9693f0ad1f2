#!/usr/bin/env bash
# Snakemake's SLURM arrays give every job memory and time of the first: large scans may get what a small one asks for.
#
# Versions: Snakemake 9.27.1, snakemake-executor-plugin-slurm 2.8.0 and -jobstep 0.6.1, Python 3.11.
# Input: one rule for three scans, whose memory and time are functions of the scan, as Snakemake has it for jobs of
#   unlike size; run with `--slurm-array-jobs=all` and without. In place of SLURM's own, an `sbatch` that notes what it
#   is asked for, and refuses.
# Expected: for each job what Snakemake's log says of it, or an array for each size. All jobs of a rule become one
#   array, with one request for each of its jobs, that of the job which comes first, another one from run to run;
#   nothing says so. If that is a small scan, the large ones are ended for want of memory or time; if the largest, all
#   wait for it.
# Seen, what sbatch is asked for (the array's 1 MB more is for its list of jobs):
#   without arrays: 1000 MB 10 min, 8000 MB 80 min, 64000 MB 640 min
#   log, array:     1000 MB 10 min, 8000 MB 80 min, 64000 MB 640 min
#   array of three: 8001 MB 80 min; called again 64001 MB 640 min
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1 \
  snakemake-executor-plugin-slurm==2.8.0 snakemake-executor-plugin-slurm-jobstep==0.6.1
mkdir "$work/bin"
for command in sinfo squeue sacct sacctmgr scancel scontrol sshare; do
  printf '#!/bin/sh\n' > "$work/bin/$command"
done
printf '#!/bin/sh\necho "$@" >> requests\nexit 1\n' > "$work/bin/sbatch"
chmod +x "$work"/bin/*
export PATH="$work/bin:$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
cat > "$work/Snakefile" <<'END_OF_FILE'
GIGABYTES = {"a": 1, "b": 8, "c": 64}

rule all:
    input: expand("labels/{scan}", scan=GIGABYTES)

rule label:
    output: "labels/{scan}"
    resources:
        mem_mb=lambda wildcards: 1000 * GIGABYTES[wildcards.scan],
        runtime=lambda wildcards: 10 * GIGABYTES[wildcards.scan],
        slurm_partition="cpu",
    shell: "touch {output}"
END_OF_FILE

submit() { # $1: a folder, then Snakemake's options. It ends with an error, since sbatch refuses.
  mkdir "$work/$1" && cd "$work/$1" && shift
  snakemake --snakefile "$work/Snakefile" --executor slurm --jobs 3 --slurm-no-account \
    --slurm-init-seconds-before-status-checks 1 "$@" > log 2>&1 || true
}

values() { # $1: what precedes the MB, $2: what precedes the minutes; of each line with both, in order of MB
  python -c '
import re, sys
found = {tuple(int(re.search(before + r"(\d+)", line)[1]) for before in sys.argv[1:]) for line in sys.stdin}
print(", ".join(f"{size} MB {minutes} min" for size, minutes in sorted(found)))' "$1" "$2"
}

submit alone
alone=$(values "--mem " "-t " < requests)
submit array --slurm-array-jobs=all
said=$(grep 'resources:.*mem_mb' log | values mem_mb= runtime=)
array=$(values "--mem " "-t " < requests)
echo "without arrays: $alone"
echo "log, array:     $said"
echo "array of three: $array"
[ "$alone" = "1000 MB 10 min, 8000 MB 80 min, 64000 MB 640 min" ] && [ "$said" = "$alone" ]
[ "$(wc -l < requests)" -eq 1 ] && grep -q -- --array=1-3 requests
case $array in "1001 MB 10 min" | "8001 MB 80 min" | "64001 MB 640 min") ;; *) exit 1 ;; esac
