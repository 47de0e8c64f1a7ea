package flv

// FourCC names a codec by four bytes, the first in the highest bits. The zero
// FourCC means "unknown": a legacy codec id that has no FourCC, or a multitrack
// message in which every track has its own.
type FourCC uint32

// The FourCCs of E-RTMP v2, plus those of legacy codec ids that have one.
const (
	AVC  FourCC = 'a'<<24 | 'v'<<16 | 'c'<<8 | '1'
	HEVC FourCC = 'h'<<24 | 'v'<<16 | 'c'<<8 | '1'
	VVC  FourCC = 'v'<<24 | 'v'<<16 | 'c'<<8 | '1'
	AV1  FourCC = 'a'<<24 | 'v'<<16 | '0'<<8 | '1'
	VP9  FourCC = 'v'<<24 | 'p'<<16 | '0'<<8 | '9'
	VP8  FourCC = 'v'<<24 | 'p'<<16 | '0'<<8 | '8'

	AAC  FourCC = 'm'<<24 | 'p'<<16 | '4'<<8 | 'a'
	MP3  FourCC = '.'<<24 | 'm'<<16 | 'p'<<8 | '3'
	Opus FourCC = 'O'<<24 | 'p'<<16 | 'u'<<8 | 's'
	FLAC FourCC = 'f'<<24 | 'L'<<16 | 'a'<<8 | 'C'
	AC3  FourCC = 'a'<<24 | 'c'<<16 | '-'<<8 | '3'
	EAC3 FourCC = 'e'<<24 | 'c'<<16 | '-'<<8 | '3'
)

// ParseFourCC returns the FourCC of a text of exactly four bytes, else 0.
func ParseFourCC(s string) FourCC {
	if len(s) != 4 {
		return 0
	}
	return FourCC(s[0])<<24 | FourCC(s[1])<<16 | FourCC(s[2])<<8 | FourCC(s[3])
}

// String returns the four bytes, those outside of printable ASCII as '?', so
// that a stranger's FourCC can be shown and logged; "" for the zero FourCC.
func (f FourCC) String() string {
	if f == 0 {
		return ""
	}
	b := [4]byte{byte(f >> 24), byte(f >> 16), byte(f >> 8), byte(f)}
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b[:])
}

// Known reports whether f is one of the constants of this package.
func (f FourCC) Known() bool {
	switch f {
	case AVC, HEVC, VVC, AV1, VP9, VP8, AAC, MP3, Opus, FLAC, AC3, EAC3:
		return true
	}
	return false
}
