#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Beside libvolo-go, whose build makes the library.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${PEERS_DIR:-$HOME/.cache/volo-peers}/libvolo-go
"$here/../libvolo-go/build.sh"
cd "$here"
PKG_CONFIG_PATH=$out/installed/lib/pkgconfig go build -tags volo_static \
    -o "$out/libvolo-go-http" .
