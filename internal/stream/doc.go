// Package stream holds the two words that every other package of Weir uses for
// a live stream: its [Name] ("live/alice") and the [Epoch] of its ownership.
//
// It is a leaf: it imports the standard library only and is imported by the
// media wing and the control wing alike, which otherwise do not know each other.
package stream
