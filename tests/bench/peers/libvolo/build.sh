#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The release build of this tree, under $PEERS_DIR.
set -eu
root=$(cd "$(dirname "$0")/../../../.." && pwd)
out=${PEERS_DIR:-$HOME/.cache/volo-peers}/libvolo
cmake -S "$root" -B "$out" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DVOLO_LTO=ON \
    -DVOLO_TESTS=OFF -DVOLO_EXAMPLES=ON
cmake --build "$out" --target volo-serve
