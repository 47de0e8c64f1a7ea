// Package stamp is a synthetic publisher and a counting viewer. The publisher's
// frames carry stream, epoch, sequence and time; the viewer reads them back and
// counts what was lost, doubled, foreign, late or out of order, and the longest
// gap. Tests of failures and the load tools share it.
//
// It is not an encoder: the frames have valid FLV tag headers and NAL unit lengths,
// so that a server classifies them as H.264 and AAC, but nobody can decode them. For
// media that decodes see package weir/internal/demo/clip.
//
// Parts, from pure to effectful:
//
//   - [Stamp]: the bytes in a frame ([Append], [Parse]).
//   - [Source]: the frames of a publisher, by a [Shape]. No clock, no I/O.
//   - [Counter]: what a viewer saw. No clock, no I/O; the caller says when.
//   - [Publish] and [View]: one RTMP session each, over package weir/rtmp.
//
// The time in a stamp is the publisher's wall clock. Latency is therefore meaningful
// only if viewer and publisher run on one machine; every other count needs no clock
// but the viewer's own.
package stamp
