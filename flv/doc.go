// Package flv reads and writes FLV files, and the bodies of their tags, which are
// at the same time the payloads of RTMP audio and video messages: the legacy
// headers and those of Enhanced RTMP v1 and v2 (FourCC codecs, multitrack, ModEx).
//
// # What it is
//
//   - [ParseVideo] and [ParseAudio] say what a message is (codec, key frame,
//     sequence header, tracks, composition time) without copying or allocating.
//   - [AppendHeader], [AppendTag], [Writer] and [Reader] are the file.
//   - [ParseVideoConfig] and [ParseAudioConfig] turn a sequence header into facts
//     for people: codec string, picture size, sample rate, channels.
//
// # What it is not
//
// It decodes no media, repairs none, and does not read script tags: their
// payload is AMF0, see package amf.
//
// # The caller's duties
//
// The bytes may come from anyone; no input makes this package panic, recurse or
// allocate more than a fixed multiple of it. What the caller must decide is what to do with
// messages that are not fully understood:
//
//   - An unknown FourCC is no error. Key frame and sequence header flags are right, so
//     the message can be cached and forwarded like any other.
//   - Opaque means that a reserved value was met: forward it or drop it, nothing
//     in it was interpreted.
//   - An [*Error] means that the header itself is cut off or contradicts itself.
//     The info beside it holds what was read before that. [ReasonEmpty] is
//     harmless: some encoders send empty tags.
//
// A multitrack message has one frame type for all its tracks, so Keyframe and
// SequenceHeader hold for each of them; a cache of sequence headers must be keyed by
// track id. Track 0 is the default track.
//
// # Memory and goroutines
//
// Infos are plain values; a Track's body and the payload that a Reader returns
// are parts of a buffer of somebody else, the latter valid until the next call. Nothing here
// starts a goroutine; Reader and Writer are for one at a time.
//
// # Specifications
//
// "Adobe Flash Video File Format Specification" 10.1, annex E; "Enhanced RTMP
// (V2)", Veovera Software Organization: ExVideoTagHeader, ExAudioTagHeader. The codec
// ids 12 (HEVC) and 13 (AV1) in the legacy header are an extension of Chinese CDNs.
package flv
