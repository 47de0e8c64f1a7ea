package interop_test

import (
	"errors"
	"fmt"
	"os"
)

// readOgg returns the packets of an Ogg file (RFC 3533) with one logical stream.
func readOgg(path string) (packets [][]byte, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var open []byte // a packet that goes on in the next segment
	for len(b) > 0 {
		if len(b) < 27 || string(b[:4]) != "OggS" || len(b) < 27+int(b[26]) {
			return nil, fmt.Errorf("%s: no page %d bytes before the end", path, len(b))
		}
		lacing := b[27 : 27+int(b[26])]
		b = b[27+len(lacing):]
		for _, n := range lacing {
			if len(b) < int(n) {
				return nil, errors.New(path + ": cut short")
			}
			open = append(open, b[:n]...)
			b = b[n:]
			if n < 255 {
				packets = append(packets, open)
				open = nil
			}
		}
	}
	return packets, nil
}
