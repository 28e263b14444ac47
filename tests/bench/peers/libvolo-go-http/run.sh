#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "${PEERS_DIR:-$HOME/.cache/volo-peers}/libvolo-go/libvolo-go-http"
