#!/bin/sh
# Lays a round's exported model out for predict.sh: unpack_model.sh model.zip FOLDER
set -eu
packed=$(mktemp -d)
python -m zipfile -e "$1" "$packed"
# The zip has one model, in folders named after its dataset and trainer.
mkdir -p "$2"
mv "$packed"/*/*/* "$2"
rm -r "$packed"
cd "$2"
sha256sum fold_*/checkpoint_final.pth | cut -d ' ' -f 1 > trusted.txt
