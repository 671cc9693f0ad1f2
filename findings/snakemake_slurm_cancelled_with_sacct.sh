#!/usr/bin/env bash
# Snakemake waits for ever for a SLURM job that was cancelled, where it asks `sacct` for states.
#
# Versions: Snakemake 9.27.1, snakemake-executor-plugin-slurm 2.8.0 and -jobstep 0.6.1, Python 3.11.
# Input: one job, submitted by a stand-in for `sbatch`. One for `sacct` says what the real one says of a job that a user
#   ended by `scancel`: "CANCELLED by" and the number of the user (man sacct, State); and, to compare, states
#   without it.
# Expected: the run fails within seconds in each case. With "CANCELLED by 1000" it still waits after a minute, and would
#   for ever: states are compared whole with those of a list that has "CANCELLED", and any other counts as running.
# Seen:
#   FAILED:            ended, errors: 1
#   CANCELLED:         ended, errors: 1
#   CANCELLED by 1000: still waiting after 60 s, errors: 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1 \
  snakemake-executor-plugin-slurm==2.8.0 snakemake-executor-plugin-slurm-jobstep==0.6.1
mkdir "$work/bin"
for command in sinfo squeue sacctmgr scancel scontrol sshare; do
  printf '#!/bin/sh\n' > "$work/bin/$command"
done
printf '#!/bin/sh\necho 7\n' > "$work/bin/sbatch"
# Asked for accounts it knows none.
cat > "$work/bin/sacct" <<'END_OF_FILE'
#!/bin/sh
case "$*" in *JobIdRaw*) echo "7|$STATE" ;; esac
END_OF_FILE
chmod +x "$work"/bin/*
export PATH="$work/bin:$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
cat > "$work/Snakefile" <<'END_OF_FILE'
rule all:
    output: "made"
    resources: slurm_partition="cpu"
    shell: "touch {output}"
END_OF_FILE

ending() { # $1: a state
  rm -rf "$work/run" && mkdir "$work/run" && cd "$work/run"
  local status=0 how=ended
  STATE=$1 timeout --kill-after 5 60 snakemake --snakefile "$work/Snakefile" --executor slurm --jobs 1 \
    --slurm-status-command sacct --slurm-init-seconds-before-status-checks 1 > log 2>&1 || status=$?
  [ "$status" -eq 1 ] || how="still waiting after 60 s"
  echo "$how, errors: $(grep -c "SLURM status is" log)"
}

failed=$(ending FAILED)
cancelled=$(ending CANCELLED)
by=$(ending "CANCELLED by 1000")
echo "FAILED:            $failed"
echo "CANCELLED:         $cancelled"
echo "CANCELLED by 1000: $by"
[ "$failed" = "ended, errors: 1" ] && [ "$cancelled" = "$failed" ] && [ "$by" = "still waiting after 60 s, errors: 0" ]
