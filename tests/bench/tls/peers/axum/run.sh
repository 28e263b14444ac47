#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "${PEERS_DIR:-$HOME/.cache/volo-peers}/bin/axum-tls"
