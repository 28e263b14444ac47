#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The release build of this tree, in one program, under $PEERS_DIR.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
out=${PEERS_DIR:-$HOME/.cache/volo-peers}/libvolo-go
cmake -S "$root" -B "$out/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DVOLO_LTO=ON -DVOLO_TESTS=OFF -DVOLO_EXAMPLES=OFF \
    -DCMAKE_INSTALL_PREFIX="$out/installed" -DCMAKE_INSTALL_LIBDIR=lib
cmake --build "$out/build" --target install
cd "$here"
PKG_CONFIG_PATH=$out/installed/lib/pkgconfig go build -tags volo_static \
    -o "$out/libvolo-go" .
