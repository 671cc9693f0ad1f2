#!/usr/bin/env bash
# Snakemake's `--config mirror=false` switches mirroring on, though `mirror: false` in the configuration file is off.
#
# Versions: Snakemake 9.27.0, Python 3.11.
# Input: a workflow that asks `if config["mirror"]`, and one number in a mapping; once from a YAML file, once from the
#   command line, with the mapping written as `snakemake --help` asks for.
# Expected: the same values. On the command line only `False` with a capital is a truth value, `false` is text and hence
#   true; and inside a mapping every number is text, though a number by itself stays one.
# Seen:
#   configuration file:         mirror=False is off, epochs=5
#   command line, as in YAML:   mirror='false' is on, epochs='5'
#   command line, as in Python: mirror=False is off, epochs='5'
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.0
export PATH="$work/venv/bin:$PATH" XDG_CACHE_HOME="$work/cache"
cd "$work"

cat > Snakefile <<'EOF'
state = "on" if config["mirror"] else "off"
print(f"mirror={config['mirror']!r} is {state}, epochs={config['train']['epochs']!r}")

rule all:
    shell: "true"
EOF
cat > config.yaml <<'EOF'
mirror: false
train: {"epochs": 5}
EOF

seen() { snakemake --dry-run --quiet all "$@" | grep '^mirror='; }

file=$(seen --configfile config.yaml)
yaml=$(seen --config mirror=false "train={'epochs': 5}")
python=$(seen --config mirror=False "train={'epochs': 5}")
echo "configuration file:         $file"
echo "command line, as in YAML:   $yaml"
echo "command line, as in Python: $python"
[ "$file" = "mirror=False is off, epochs=5" ]
[ "$yaml" = "mirror='false' is on, epochs='5'" ]
[ "$python" = "mirror=False is off, epochs='5'" ]
