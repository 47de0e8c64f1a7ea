#!/bin/sh
# Runs the linters, all of them, and fails if one has something to say.
set -u
cd "$(dirname "$0")/.."
bad=0

# gofmt: one layout, so that diffs show changes of meaning only.
unformatted=$(gofmt -l amf flv rtmp cmd internal interop bench)
if [ -n "$unformatted" ]; then
	echo "gofmt: run gofmt -w on:"
	echo "$unformatted"
	bad=1
fi

# go vet: mistakes that compile: wrong printf verbs, copied locks, lost cancels.
go vet ./... || bad=1

# staticcheck: dead code, misused APIs, comparisons that cannot be true. Pinned:
# a new release's new checks are taken up on purpose.
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./... || bad=1

exit $bad
