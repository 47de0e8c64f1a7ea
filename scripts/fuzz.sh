#!/bin/sh
# Runs every fuzz target for the given time each: scripts/fuzz.sh 30s [PATTERN [FOLDERS]].
# A failure leaves its input under the package's testdata/fuzz; commit it with the fix.
set -eu
cd "$(dirname "$0")/.."
span=${1:-30s}
pattern=${2:-.}
folders=${3:-amf flv rtmp cmd internal}
failed=
found=0

# Go before 1.27 now and then calls it a failure that -fuzztime is over
# (https://go.dev/issue/75804). All that such a run says after "FAIL" is this one
# line; an input that fails, a panic or a target that hangs says more.
ran_out() {
	said=$(printf '%s\n' "$1" | sed -n '/^--- FAIL: /,/^FAIL$/p' | sed '1d;$d')
	[ "$said" = "    context deadline exceeded" ]
}

# shellcheck disable=SC2086 # a list of words
targets=$(grep -rlE '^func Fuzz[A-Za-z0-9_]*\(' --include='*_test.go' $folders | sort)
for file in $targets; do
	for name in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file" | grep -E "$pattern" || true); do
		found=$((found + 1))
		echo "fuzz $name (${file%/*}) for $span"
		# Only the end is of interest: progress every 3 s is not. Inputs are hardly
		# minimized: for these targets that takes the whole time.
		if log=$(go test "./${file%/*}" -run '^$' -fuzz "^$name\$" -fuzztime "$span" -fuzzminimizetime 5x 2>&1); then
			continue
		elif ran_out "$log"; then
			echo "fuzz $name: go test calls it a failure that the time is over; it is none"
		else
			printf '%s\n' "$log" | tail -40
			failed="$failed $name"
		fi
	done
done
if [ -n "$failed" ]; then
	echo "fuzzing found failures:$failed" >&2
	exit 1
fi
echo "$found fuzz targets, $span each: no failure"
