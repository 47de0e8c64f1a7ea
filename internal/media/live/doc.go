// Package live holds streams in memory and sends them to their viewers.
package live
