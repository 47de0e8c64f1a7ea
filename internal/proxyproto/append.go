package proxyproto

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// AppendV1 appends a header of version 1. Without a source it says that it is not
// known.
func AppendV1(b []byte, src, dst netip.AddrPort) []byte {
	src, dst, ok := together(src, dst)
	if !ok {
		return append(b, "PROXY UNKNOWN\r\n"...)
	}
	family := "TCP4"
	if src.Addr().Is6() {
		family = "TCP6"
	}
	return fmt.Appendf(b, "PROXY %s %s %s %d %d\r\n", family, text(src.Addr()), text(dst.Addr()), src.Port(), dst.Port())
}

// text is an address as version 1 has it: of a mapped one, which its own notation
// would make look like another family, the bare digits.
func text(a netip.Addr) string {
	if a.Is4In6() {
		b := a.As16()
		return fmt.Sprintf("::ffff:%x:%x", binary.BigEndian.Uint16(b[12:]), binary.BigEndian.Uint16(b[14:]))
	}
	return a.String()
}

// AppendV2 appends a header of version 2. Without a source it says that the
// connection is the proxy's own.
func AppendV2(b []byte, src, dst netip.AddrPort) []byte {
	b = append(b, signature...)
	src, dst, ok := together(src, dst)
	if !ok {
		return append(b, v2Local, familyUnspec, 0, 0)
	}
	family, n := byte(familyTCP4), 12
	if src.Addr().Is6() {
		family, n = familyTCP6, 36
	}
	b = append(b, v2Proxy, family, byte(n>>8), byte(n))
	b = append(b, src.Addr().AsSlice()...)
	b = append(b, dst.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, src.Port())
	return binary.BigEndian.AppendUint16(b, dst.Port())
}

// AppendSRS appends SRS's preamble: 0xF3, a length, and the client's IPv4 address
// (trunk/src/protocol/srs_protocol_rtmp_handshake.cpp). There is none for other
// addresses.
func AppendSRS(b []byte, src netip.AddrPort) []byte {
	a := src.Addr().Unmap()
	if !a.Is4() {
		return b
	}
	b = append(b, 0xF3, 0, 4)
	return append(b, a.AsSlice()...)
}

// together brings two addresses into one family, and reports whether there is
// something to say. A destination that is not known is all zeroes.
func together(src, dst netip.AddrPort) (netip.AddrPort, netip.AddrPort, bool) {
	s, d := src.Addr().Unmap().WithZone(""), dst.Addr().Unmap().WithZone("")
	if !s.IsValid() {
		return src, dst, false
	}
	if !d.IsValid() {
		d = netip.IPv4Unspecified()
		if s.Is6() {
			d = netip.IPv6Unspecified()
		}
	}
	if s.Is4() != d.Is4() {
		s, d = netip.AddrFrom16(s.As16()), netip.AddrFrom16(d.As16())
	}
	return netip.AddrPortFrom(s, src.Port()), netip.AddrPortFrom(d, dst.Port()), true
}
