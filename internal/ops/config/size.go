package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// sizeUnits are the accepted units, binary and decimal; the first one of a
// factor is what String writes.
var sizeUnits = []struct {
	name   string
	factor Size
}{
	{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
}

// ParseSize reads "8MiB", "1.5 MB" or "512B". The unit is required.
func ParseSize(s string) (Size, error) {
	for _, u := range sizeUnits {
		number, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsNaN(f) || f < 0 || f*float64(u.factor) >= math.MaxInt64 {
			return 0, fmt.Errorf("%q is no size; write a number and a unit, as in 8MiB", s)
		}
		return Size(f * float64(u.factor)), nil
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, fmt.Errorf("%q has no unit; write %sB, %sKiB or %sMiB", s, s, s, s)
	}
	return 0, fmt.Errorf("%q is no size; write a number and a unit (B, KiB, MiB, GiB), as in 8MiB", s)
}

// String returns the size in the largest binary unit that divides it.
func (s Size) String() string {
	for _, u := range sizeUnits[:3] {
		if s != 0 && s%u.factor == 0 {
			return strconv.FormatInt(int64(s/u.factor), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}
