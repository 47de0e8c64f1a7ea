// Package flv reads and writes FLV files and the bodies of their tags.
package flv
