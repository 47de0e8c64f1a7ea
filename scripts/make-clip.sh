#!/bin/sh
# Makes internal/demo/clip/clip.flv, the test pattern that `weir demo` publishes.
#
# The clip must loop without a seam, so its two tracks have to end on the same
# instant. At 48 kHz an AAC frame is 1024/48000 s; 375 of them are exactly 8 s,
# which are 240 pictures at 30/s, eight closed GOPs of one second. (At 44.1 kHz
# the first common multiple of both frame lengths is 17.07 s, which is no whole
# number of one-second GOPs.) There are no B-frames: decoding order is
# presentation order, and the clip can be sent over WebRTC as it is.
#
# Audio is taken out of the middle of a longer encoding: an AAC frame overlaps its
# neighbours, and the first frames of an encoding hold the encoder's priming.
set -eu
cd "$(dirname "$0")/.."
out=${1:-internal/demo/clip/clip.flv}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

ff() { ffmpeg -hide_banner -loglevel error -nostdin -y "$@"; }

# A moving pattern with its own clock; a white bar sweeps once a second.
ff -f lavfi -i "testsrc2=size=320x180:rate=30:duration=8" -f lavfi -i "color=white:size=12x30:rate=30:duration=8" \
   -filter_complex "[0][1]overlay=x='mod(t,1)*320':y=150,format=yuv420p" \
   -c:v libx264 -profile:v baseline -preset veryslow -tune animation -bf 0 -refs 3 \
   -g 30 -keyint_min 30 -sc_threshold 0 -threads 1 -crf 27 -maxrate 320k -bufsize 320k \
   -bsf:v filter_units=remove_types=6 -bitexact -f h264 "$tmp/v.h264"

# A beep of 100 ms at every full second over a quiet chord; period one second.
ff -f lavfi -i "aevalsrc='0.05*sin(2*PI*220*t)+0.05*sin(2*PI*330*t)+0.3*sin(2*PI*880*t)*lt(mod(t,1),0.1):s=48000:d=25'" \
   -ac 1 -c:a aac -b:a 48k -bitexact \
   -bsf:a "noise=drop='lt(n,375)+gte(n,750)'" -f adts "$tmp/a.aac"

ff -r 30 -i "$tmp/v.h264" -i "$tmp/a.aac" -map 0:v -map 1:a -c copy \
   -bsf:a aac_adtstoasc -bitexact -fflags +bitexact -map_metadata -1 \
   -flvflags no_duration_filesize+no_sequence_end -f flv "$out"
ls -l "$out"
