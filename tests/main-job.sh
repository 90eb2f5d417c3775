#!/usr/bin/env bash
# The main job from beginning to end, on a server of its own that is gone afterwards: a plan that is refused with the reason,
# what it needs started and finished, the same plan again, finished. Needs nothing but Rust.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${MORTISE_BIN:-}" ]; then
  cargo build --quiet --locked
  MORTISE_BIN="${CARGO_TARGET_DIR:-target}/debug/mortise"
fi
data=$(mktemp -d)
coproc SERVER { exec "$MORTISE_BIN" serve --listen 127.0.0.1:0 --data "$data" --log warn; }
server=$SERVER_PID
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$data"' EXIT
read -r ready <&"${SERVER[0]}"
echo "$ready"
MORTISE_SERVER=$(sed -E 's/.*(http:[^ ,]+).*/\1/' <<<"$ready")
export MORTISE_SERVER

say() { printf '\n$ mortise %s\n' "$*"; "$MORTISE_BIN" "$@"; }
plan_id() { sed -n 's/.*mortise finish \([^ ]*\).*/\1/p' <<<"$1" | head -n 1; }

say start -f fixtures/first/api.yaml --input version=2.3.0 --input environment=test && exit 1

answer=$(say start -f fixtures/first/database.yaml --input version=15.4 --input environment=test)
echo "$answer"
say finish "$(plan_id "$answer")" --success

answer=$(say start -f fixtures/first/api.yaml --input version=2.3.0 --input environment=test)
echo "$answer"
say finish "$(plan_id "$answer")" --success
