#!/usr/bin/env bash
# Makes a trained folder the embedded model: its vocabulary, preview and goldens, and the bundle.
#
#   TIER=1 training/embed.sh FOLDER     TIER: the last tier of concepts that it was trained on
#
# Title, examples, sizes and defaults stay those of training/pocket/bundle.json: edit it if they change,
# and cli/bench/prompts.json (evaluate.py --list). Afterwards: npm test, npm run screenshot, and
# `npm run hicache -- calibrate`, since a new bundle has no calibration.
set -euo pipefail
trained=$(realpath "$1")
cd "$(dirname "$0")/.."
[ "$trained" != "$(realpath training/pocket)" ] || { echo 'The trained folder is training/pocket itself.' >&2; exit 1; }

description=$(cat training/pocket/bundle.json)
rm -rf training/pocket && mkdir training/pocket
for part in model_index.json training.json scheduler text_encoder text_encoder_2 tokenizer tokenizer_2 transformer vae; do
  cp -r "$trained/$part" training/pocket/
done
# Only for further training.
[ ! -f "$trained/marker.safetensors" ] || cp "$trained/marker.safetensors" training/pocket/
printf '%s\n' "$description" > training/pocket/bundle.json
find training/pocket -type f -exec chmod 644 {} +
# Where the folder once lay is nobody's business.
find training/pocket -name '*.json' -exec sed -i '/"_name_or_path": /d' {} +

python training/vocabulary.py training/pocket --tier "${TIER:-1}"
python training/preview.py training/pocket
rm -rf tests/golden/pocket
python training/goldens.py training/pocket --out tests/golden/pocket
rm -rf public/models/pocket
npm run -s hicache -- convert training/pocket --out public/models/pocket --quant mixed --goldens tests/golden/pocket --verify
du -sh public/models/pocket
