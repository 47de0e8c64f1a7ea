// Package demo runs a whole small cluster on one machine, as separate processes
// of the real binary, and shows that it works: one front, two origins, two
// edges, an etcd inside the first origin. It publishes the test clip (package
// clip) to the front over RTMP, plays it back from the front and from both
// edges, and prints where everything is.
//
// It is the first thing that a newcomer runs and the last check of a release:
// Run returns an error unless media came out of every end of the chain until the
// last moment.
//
// What it is not: a way to run Weir. Its processes end with it and its data is
// in a temporary directory.
package demo
