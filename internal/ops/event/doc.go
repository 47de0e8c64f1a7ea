// Package event is what the parts of Weir say about themselves: one typed value
// for each thing that happened, said once, by the part that knows.
//
// Adapters turn events into the three things that people read: log lines
// ([NewLog]), metrics ([NewMetrics]) and test assertions ([Recorder]). A part is
// handed a [Sink] and calls it; it neither logs nor counts on its own, so a log
// line, a counter and a test can never disagree.
//
// What it is not: a bus. A Sink is a plain function called on the goroutine of
// the speaker, it does not queue and nobody subscribes to a part through it.
//
// # The speaker's duties
//
//   - Emit at lifecycle edges and decisions, never per packet or per frame.
//   - Emit outside of locks that the data path needs: an adapter may take a lock
//     and write to a pipe.
//   - Give a [Reason] from the list in reasons.go. A new reason gets a constant, a
//     meaning and a place in that list first.
//   - Give no secret: keys and tokens are of type secret.String, URLs and queries
//     go through secret.URL and secret.Query.
//
// # The adapters' duties
//
// A Sink returns soon, may be called from any goroutine at once, and keeps no
// reference to anything mutable: events are values.
//
// The set of events is closed (an unexported method seals [Event]): whoever
// reads the type switch in metrics.go has read everything that is counted.
package event
