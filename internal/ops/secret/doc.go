// Package secret keeps stream keys, tokens and passwords out of logs, metrics,
// pages and the store (promise P7).
//
// [String] is a text that no formatter will print: its value leaves it only
// through [String.Reveal], which is easy to search for. [URL] and [Query] are
// for the places where a secret hides within a longer text.
//
// It is a leaf: standard library only.
package secret
