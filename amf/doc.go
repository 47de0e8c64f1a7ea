// Package amf reads and writes the Action Message Format in both its versions,
// AMF0 and AMF3: the form of every command and data message of RTMP and of the
// script tags of FLV files.
//
// # What it is
//
// A [Decoder] turns the bytes of one message into Go values, one Decode call a
// value; [Append0] and [Append3] turn Go values into bytes at the end of the
// caller's buffer. The types correspond as follows:
//
//	number, double          float64
//	integer (AMF3)          int32
//	boolean                 bool
//	string, long string     string
//	null                    nil
//	undefined               Undefined
//	object                  Object
//	typed object            TypedObject
//	associative array       ECMAArray
//	dense array             StrictArray
//	date                    Date
//	XML                     XMLDocument, XML
//	byte array, vectors     ByteArray, VectorInt, VectorUint, VectorDouble, VectorObject
//	dictionary              Dictionary
//	externalizable          Externalizable (the three known classes)
//	unsupported             Unsupported
//
// # What it is not
//
// It does not map values onto Go structs, resolve classes, check that strings are
// UTF-8, or know what a command is. It is not for streaming: a message is
// decoded when all of it has arrived.
//
// # Bytes from strangers
//
// The bytes may come from anyone. [Limits] bounds depth, number of values and bytes of
// text over all the values of a Decoder; nothing is allocated because of a count
// or a length that is merely announced. A reference (AMF0 §2.9, AMF3 §2.2) costs as
// much of the budget as a copy of what it refers to, so a short message cannot unfold
// into a long one, and a reference to a container that is not complete is an
// error: what Decode returns is always a finite tree, safe to walk by recursion.
// There is no panic and no recover. Numbers may be NaN or infinite: the caller
// must mind that before converting them.
//
// # Memory and goroutines
//
// Decoded values hold no part of the input, so the caller may reuse its buffer.
// They may share memory among each other where the sender used references:
// treat them as read-only, or Clone. A Decoder is for one goroutine; there are
// no others. The Append functions only read their argument.
//
// # Specifications
//
// "Action Message Format – AMF 0" (Adobe 2007; the section numbers in this
// package are its), and "Action Message Format – AMF 3" (Adobe, January 2013).
// An AMF0 message switches to AMF3 for one value behind the avmplus-object marker
// (AMF0 §3.1); the AMF3 reference tables then last for the whole message.
package amf
