#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a copy of the sources, so that what cargo leaves is not in the tree.
set -eu
peers=${PEERS_DIR:-$HOME/.cache/volo-peers}
mkdir -p "$peers/src/axum-tls" "$peers/bin"
cp -r "$(dirname "$0")/." "$peers/src/axum-tls/"
cd "$peers/src/axum-tls"
CARGO_TARGET_DIR=$peers/rust-target cargo build --release
cp "$peers/rust-target/release/peer-axum-tls" "$peers/bin/axum-tls"
