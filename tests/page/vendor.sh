#!/usr/bin/env bash
# Renews the page's libraries (src/proctor/web/static/vendor) and axe-core (tests/page/vendor) from npm.
# Needs npm; the versions are those of LICENSES.txt: change both together.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --prefix "$work" preact@10.29.8 htm@3.1.1 @preact/signals@1.3.4 \
    @preact/signals-core@1.8.0 axe-core@4.14.1
from=$work/node_modules
to=src/proctor/web/static/vendor
cp "$from/preact/dist/preact.mjs" $to/preact.js
cp "$from/preact/hooks/dist/hooks.mjs" $to/hooks.js
cp "$from/htm/dist/htm.mjs" $to/htm.js
cp "$from/@preact/signals-core/dist/signals-core.mjs" $to/signals-core.js
cp "$from/@preact/signals/dist/signals.mjs" $to/signals.js
# Plain relative names: a browser needs no import map, and the page no inline script.
sed -i -e 's|from"preact/hooks"|from"./hooks.js"|g' -e 's|from"preact"|from"./preact.js"|g' \
    -e 's|from"@preact/signals-core"|from"./signals-core.js"|g' -e 's,//# sourceMappingURL=.*,,' $to/*.js
cp "$from/axe-core/axe.min.js" tests/page/vendor/axe.min.js
