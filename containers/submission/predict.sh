#!/bin/sh
# Labels every scan of the inputs, <case>_0000.nii.gz, to <case>.nii.gz in the outputs: sh predict.sh [options of label_scan.py]
# INPUTS, OUTPUTS, MODEL and SCRIPTS name other folders than those of the image.
set -eu
inputs=${INPUTS:-/workspace/inputs}
outputs=${OUTPUTS:-/workspace/outputs}
model=${MODEL:-/opt/model}
scripts=${SCRIPTS:-/opt/flare/workflow/scripts}

fail() {
    echo "$1" >&2
    exit 2
}

[ -d "$inputs" ] || fail "There is no folder $inputs: give the folder of the scans with --volume FOLDER:$inputs"
[ -n "$(ls "$inputs")" ] || fail "$inputs is empty: give the folder of the scans with --volume FOLDER:$inputs"
[ -d "$outputs" ] || fail "There is no folder $outputs: give one for the label maps with --volume FOLDER:$outputs"
[ -w "$outputs" ] || fail "$outputs may not be written to by user $(id -u): give another folder, or run the container with --user"
[ -f "$model/trusted.txt" ] || fail "There is no model in $model: build the image again, with --build-arg MODEL=PATH_OF_MODEL.zip"

# Of a model whose scores are of post-processed label maps.
[ ! -f "$model/postprocessing.json" ] || set -- --postprocessing "$model/postprocessing.json" "$@"

# One checksum a fold, each a word.
# shellcheck disable=SC2046
exec python "$scripts/label_scan.py" --model "$model" --image "$inputs" --output "$outputs/" --trust $(cat "$model/trusted.txt") "$@"
