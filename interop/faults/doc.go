// Package faults breaks a cluster of real weir processes, on a real etcd, while
// stamped publishers and viewers look on. It has tests only.
//
// Each test is a row of the table of what a fault may do to a publisher or a
// viewer: an origin that is killed, frozen, drained or cut off, both ways or one, a
// way that is late, stalled, reset, half-open or damages what it carries, a store that
// is killed, frozen, wiped, restored from an old copy, on a full disk or beside busy
// pumps, edges that die or are overrun, publishers that flap. A scenario reads like a story:
//
//	c := s.cluster(...)
//	p := s.publish(c.front, "alice")
//	v := s.watch(c.e1, "alice")
//	s.fault("kill -9 of the owner", owner.kill)
//	s.sees(v, 3*time.Second)
//	s.zero("publisher closes", p.closes())
//	s.gap("viewer gap", v.gap(), target{p50: 300 * ms, p99: 1200 * ms})
//
// Every frame carries its stream, run, number and time, so a viewer counts what it
// lost, got twice, out of order or from somebody else, and its longest gap.
//
// # Two scales
//
// "go test" tells each story once, small, and asserts what must always hold:
// sessions that close, doubled and foreign frames, who owns what, how many pulls.
// Times are only held against a bound that a loaded machine keeps too, and what the
// kernel says it has kept the processes waiting is allowed on top. "make
// bench-faults" tells each twenty times at full scale, and writes every figure
// with its median and 99th percentile to bench/results/faults; it fails, by name, for
// each that misses its target. With LANES=n so many stories are told side by side; those
// that load the machine are alone on it.
//
// # When a story goes wrong
//
// The test prints the timeline: what the test did, what the viewers missed, and
// the log lines of all nodes, merged in the order of time. A node that has crashed is
// always a failure.
//
// # What it needs
//
// Debian's etcd-server and etcdctl, and, for what a cable does, the right to make
// network namespaces (root). A test whose means are missing fails and says so.
package faults
