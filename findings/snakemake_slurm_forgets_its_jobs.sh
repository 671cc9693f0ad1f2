#!/usr/bin/env bash
# Snakemake forgets all its SLURM jobs, and waits for ever, after five questions to SLURM that were not answered.
#
# Versions: Snakemake 9.27.1, snakemake-executor-plugin-slurm 2.8.0 and -jobstep 0.6.1, Python 3.11.
# Input: one job, submitted by a stand-in for `sbatch`. One for `squeue` fails the first N times, as while SLURM's
#   controller is started anew (the real one of SLURM 22.05 gives up after 9 s), and then says that the job is done.
# Expected: the run is done soon after SLURM answers. From five on (--slurm-status-attempts, one right after the other)
#   it is not: jobs are taken off the list before a look, and put back only by a look that was answered. Nothing is
#   said. With `sacct`, which fails at once where accounting is off, no job's end is ever seen.
# Seen, whether the run is done:
#   4 without an answer: done
#   5 without an answer: still waiting after 60 s, squeue was asked 5 times
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1 \
  snakemake-executor-plugin-slurm==2.8.0 snakemake-executor-plugin-slurm-jobstep==0.6.1
mkdir "$work/bin"
for command in sinfo sacctmgr scancel sshare; do
  printf '#!/bin/sh\n' > "$work/bin/$command"
done
# squeue shows ended jobs so long that Snakemake does not ask sacct instead.
printf '#!/bin/sh\necho MinJobAge = 300 sec\n' > "$work/bin/scontrol"
printf '#!/bin/sh\ntouch made\necho 7\n' > "$work/bin/sbatch"
cat > "$work/bin/squeue" <<'END_OF_FILE'
#!/bin/sh
echo >> asked
[ "$(wc -l < asked)" -gt "$UNANSWERED" ] && echo "7|COMPLETED"
END_OF_FILE
chmod +x "$work"/bin/*
export PATH="$work/bin:$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
cat > "$work/Snakefile" <<'END_OF_FILE'
rule all:
    output: "made"
    resources: slurm_partition="cpu"
    shell: "touch {output}"
END_OF_FILE

ending() { # $1: how often squeue has no answer
  mkdir "$work/$1" && cd "$work/$1"
  local status=0
  UNANSWERED=$1 timeout --kill-after 5 60 snakemake --snakefile "$work/Snakefile" --executor slurm --jobs 1 \
    --slurm-status-command squeue --slurm-init-seconds-before-status-checks 1 > log 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    echo done
  else
    echo "still waiting after 60 s, squeue was asked $(wc -l < asked) times"
  fi
}

four=$(ending 4)
five=$(ending 5)
echo "4 without an answer: $four"
echo "5 without an answer: $five"
[ "$four" = "done" ] && [ "$five" = "still waiting after 60 s, squeue was asked 5 times" ]
