#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What build.sh made, else what scripts/run did.
root=$(cd "$(dirname "$0")/../../../.." && pwd)
for build in "${PEERS_DIR:-$HOME/.cache/volo-peers}/libvolo" \
    "$root/build/release"; do
    serve=$build/examples/serve/c/volo-serve
    [ -x "$serve" ] && WORKERS=${THREADS:-1} exec "$serve"
done
echo "Run build.sh first" >&2
exit 1
