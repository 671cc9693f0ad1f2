#!/usr/bin/env bash
# A workflow whose commands name a global variable runs alone, and fails as a module of another workflow.
#
# Versions: Snakemake 9.27.0, Python 3.11.
# Input: a Snakefile with TOOL = "echo" and `shell: "{TOOL} done > {output}"`; the same loaded by another Snakefile with
#   `module inner` and `use rule * from inner`.
# Expected: both write `done`; a module's rules, functions and parameters see the module's own variables. To print the
#   command Snakemake looks among the outer file's variables, and ends with a NameError before anything runs.
# Seen:
#   alone:      done
#   as module:  NameError
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.0
export PATH="$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
mkdir "$work/inner" "$work/outer"
cat > "$work/inner/Snakefile" <<'EOF'
TOOL = "echo"

rule all:
    output: "out"
    shell: "{TOOL} done > {output}"
EOF
cat > "$work/outer/Snakefile" <<'EOF'
module inner:
    snakefile: "../inner/Snakefile"

use rule * from inner
EOF
made_in() { # $1: the folder
  cd "$work/$1"
  if snakemake --cores 1 > log 2>&1; then cat out; else grep -o NameError log | head -1; fi
}

alone=$(made_in inner)
module=$(made_in outer)
echo "alone:      $alone"
echo "as module:  $module"
[ "$alone" = done ] && [ "$module" = NameError ]
