package flv

import "fmt"

// parseVP9 reads a VPCodecConfigurationRecord, with or without the four bytes of
// version and flags that it has in MP4: writers of FLV differ. It states no size.
func (c *VideoConfig) parseVP9(p []byte) (reason string) {
	if len(p) >= 4 && p[0] == 1 && p[1] == 0 && p[2] == 0 && p[3] == 0 {
		p = p[4:] // no record starts so: its third byte holds the bit depth, which is not 0
	}
	if len(p) < 3 {
		return ReasonTruncated
	}
	c.Codec = fmt.Sprintf("vp09.%02d.%02d.%02d", p[0], p[1], p[2]>>4)
	return ""
}
