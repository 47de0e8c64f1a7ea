// Package amf reads and writes the Action Message Format, AMF0 and AMF3.
package amf
