#!/usr/bin/env bash
# A workflow profile that is not there is passed over without a word, and its settings with it.
#
# Versions: Snakemake 9.27.0, Python 3.11.
# Input: a workflow with `profiles/gpu/config.yaml` that sets `config: [device=cuda]`, called in its own folder and, with
#   `--snakefile`, from another one, by the same `--workflow-profile profiles/gpu`.
# Expected: from the other folder an error, as for an unknown `--profile`. It runs without the profile: a path is looked
#   for in the folder of the call and, with another `profiles/` before it, beside the Snakefile.
# Seen:
#   in its folder:      cuda
#   from another one:   cpu
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.0
export PATH="$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
mkdir -p "$work/flow/profiles/gpu" "$work/data"
echo 'config: [device=cuda]' > "$work/flow/profiles/gpu/config.yaml"
cat > "$work/flow/Snakefile" <<'EOF'
rule all:
    output: "device"
    params: device=config.get("device", "cpu")
    shell: "echo {params.device} > {output}"
EOF
ran_with() { # $1: the folder of the call
  cd "$work/$1"
  snakemake --snakefile "$work/flow/Snakefile" --workflow-profile profiles/gpu --cores 1 > log 2>&1
  cat device
}

own=$(ran_with flow)
other=$(ran_with data)
echo "in its folder:      $own"
echo "from another one:   $other"
[ "$own" = cuda ] && [ "$other" = cpu ]
