#!/bin/sh
# Records the sessions of real RTMP clients (ffmpeg, librtmp, GStreamer, nginx-rtmp,
# FFmpeg 7) with nginx-rtmp and writes them as fuzz seeds to rtmp/testdata/captures.
# Needs what scripts/install-tools.sh installs. Handshakes hold random bytes and
# media is paced by the clock, so no two runs write the same files.
set -eu
cd "$(dirname "$0")/.."
mkdir -p rtmp/testdata/captures
exec go test ./interop -count=1 -run '^TestCaptures$' -capture "$PWD/rtmp/testdata/captures" "$@"
