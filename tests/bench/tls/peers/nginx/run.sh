#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
set -eu
dir=${PEERS_DIR:-$HOME/.cache/volo-peers}/nginx-tls/$PORT
mkdir -p "$dir"
sed -e "s|@PORT@|$PORT|; s|@THREADS@|$THREADS|; s|@DIR@|$dir|" \
    -e "s|@CERT@|$TLS_CERT|; s|@KEY@|$TLS_KEY|" \
    "$(dirname "$0")/nginx.conf.in" >"$dir/nginx.conf"
exec nginx -c "$dir/nginx.conf" -e stderr
