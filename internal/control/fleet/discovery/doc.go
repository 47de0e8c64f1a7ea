// Package discovery learns which servers there are besides the cluster's nodes: from DNS, from watched files,
// from polled URLs, and from servers that register themselves as they would with srs-proxy. What it learns goes into
// [fleet.Backends], one source at a time, each as a whole.
//
// What it is not: it does not judge whether a server lives (package health), reads no load but what a
// registration brings along, and knows no configuration: how a found address becomes a backend is a function
// that it is given.
//
// # What every source keeps to
//
//   - It fails often and lies sometimes: its servers do. Then the view before stays as it was. That includes
//     answers without a single server where an empty list says nothing by itself (DNS, an empty file); a list that is said to be
//     empty is believed.
//   - What it says of a failure is said at once, again when the words change, and now and then while it lasts; and when it is over.
//   - Nothing that is read is unbounded: bytes, servers, time.
//   - Strangers cost a bounded part of what servers need: see gate.
//   - A change touches no running session; whoever follows [fleet.Backends.Changes] may.
//
// # Goroutines
//
// One for each source, between Run and the end of its context; the file source has fsnotify's besides, the
// registration listener net/http's.
//
// # Specifications
//
// DNS: RFC 1035 (A), 2782 (SRV), 3596 (AAAA), 6891 (EDNS). Conditional requests: RFC 9110 §13. SRS's registration: srs-proxy's
// system API and SRS's heartbeat.
package discovery
