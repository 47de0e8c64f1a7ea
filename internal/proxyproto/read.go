package proxyproto

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// Read reads a header of either version, and nothing behind it. A header that is
// wrong is an [*Error]; other errors are r's.
func Read(r io.Reader) (Header, error) {
	// As long as the signature, and shorter than the shortest line of version 1.
	var b [maxV1]byte
	if err := full(r, b[:len(signature)]); err != nil {
		return Header{}, err
	}
	start := b[:len(signature)]
	switch {
	case string(start) == signature:
		return readV2(r)
	case strings.HasPrefix(string(start), "PROXY "):
		return readV1(r, b[:], len(start))
	}
	return Header{}, &Error{errNone}
}

func full(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("the connection ended within it")
	}
	return err
}

// readV1 reads the rest of the line byte by byte: what follows it is not ours.
func readV1(r io.Reader, b []byte, n int) (Header, error) {
	for ; b[n-1] != '\n'; n++ {
		if n == len(b) {
			return Header{}, &Error{errTooLong}
		}
		if err := full(r, b[n:n+1]); err != nil {
			return Header{}, err
		}
	}
	line, ok := strings.CutSuffix(string(b[:n]), "\r\n")
	if !ok {
		return Header{}, malformed("the line does not end with CR LF")
	}
	f := strings.Split(line, " ")
	if len(f) > 1 && f[1] == "UNKNOWN" {
		return Header{}, nil // whatever follows
	}
	if len(f) != 6 || f[1] != "TCP4" && f[1] != "TCP6" {
		return Header{}, malformed("no line of version 1")
	}
	var h Header
	for i, to := range []*netip.AddrPort{&h.Source, &h.Destination} {
		addr, err := netip.ParseAddr(f[2+i])
		if err != nil || addr.Zone() != "" || addr.Is4() != (f[1] == "TCP4") {
			return Header{}, malformed("no %s address", f[1])
		}
		port, err := strconv.ParseUint(f[4+i], 10, 16)
		if err != nil || f[4+i][0] == '+' {
			return Header{}, malformed("no port")
		}
		*to = netip.AddrPortFrom(addr.Unmap(), uint16(port))
	}
	return h, nil
}

func readV2(r io.Reader) (Header, error) {
	var fixed [fixedV2 - len(signature)]byte
	if err := full(r, fixed[:]); err != nil {
		return Header{}, err
	}
	n := int(binary.BigEndian.Uint16(fixed[2:]))
	if n > maxV2 {
		return Header{}, &Error{errTooLong}
	}
	rest := make([]byte, n)
	if err := full(r, rest); err != nil {
		return Header{}, err
	}
	switch {
	case fixed[0]>>4 != 2:
		return Header{}, malformed("version %d", fixed[0]>>4)
	case fixed[0] == v2Local:
		return Header{Local: true}, nil
	case fixed[0] != v2Proxy:
		return Header{}, malformed("command %d", fixed[0]&15)
	}
	size := 0
	switch fixed[1] {
	case familyTCP4:
		size = 4
	case familyTCP6:
		size = 16
	default:
		return Header{}, nil // the connection's own address stands, as the specification asks
	}
	if n < 2*size+4 {
		return Header{}, malformed("%d bytes of addresses, want %d", n, 2*size+4)
	}
	at := func(i int) netip.AddrPort {
		addr, _ := netip.AddrFromSlice(rest[i*size : (i+1)*size])
		return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(rest[2*size+2*i:]))
	}
	return Header{Source: at(0), Destination: at(1)}, nil
}
