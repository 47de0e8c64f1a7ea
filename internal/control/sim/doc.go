// Package sim runs the real placement, package place, over a simulated fleet at a scale that
// no test machine has: ten million viewers, a thousand edges, a hundred thousand streams in one
// process, some hundred nanoseconds an event.
//
// There is no goroutine and no timer a viewer. A viewer is a record of 16 bytes; those that leave in the
// same tick of 10 ms are a list in a wheel of ticks. Streams are drawn by the alias method. Fronts decide on
// what edges reported a while ago, with reservations of their own or shared, and see a pull that another
// front began only when the store would have told them. Edges know the truth: they refuse
// what is beyond their capacity, and the front tries the next.
//
// A run is sequential and has its own sources of chance, one for the world and one for the
// decisions: the same configuration gives the same events in the same order, on any number of
// cores, and all policies see the same arrivals. [Result.EventHash] is over all events.
//
// What it is checked against are the closed forms of theory.go. What it leaves out: a pull's grace
// after its last viewer (10 s, so at most grace/session more pulls: 0.6 %), media, and networks.
//
// [Run] keeps nothing after it returns and may be called from many goroutines at a time.
package sim
