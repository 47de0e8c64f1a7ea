package flv

import "iter"

// Track is one track's share of a message.
type Track struct {
	ID              uint8
	FourCC          FourCC
	CompositionTime int32  // ms; video only
	Body            []byte // codec data, within the bytes of the message
}

// Tracks yields the tracks of the message p that v was parsed from.
func (v VideoInfo) Tracks(p []byte) iter.Seq[Track] { return func(func(Track) bool) {} }

// Tracks yields the tracks of the message p that a was parsed from.
func (a AudioInfo) Tracks(p []byte) iter.Seq[Track] { return func(func(Track) bool) {} }
