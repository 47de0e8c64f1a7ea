package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Rate is a number of bits per second.
type Rate int64

// rateUnits are the accepted units, largest first; networks count in decimal.
var rateUnits = []struct {
	name   string
	factor Rate
}{
	{"Tbps", 1e12}, {"Gbps", 1e9}, {"Mbps", 1e6}, {"kbps", 1e3}, {"Kbps", 1e3}, {"bps", 1},
}

// ParseRate reads "40Mbps" or "2.5 Gbps". The unit is required, but of 0.
func ParseRate(s string) (Rate, error) {
	if s == "0" {
		return 0, nil
	}
	for _, u := range rateUnits {
		number, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsNaN(f) || f < 0 || f*float64(u.factor) >= math.MaxInt64 {
			return 0, fmt.Errorf("%q is no rate; write a number and a unit, as in 40Mbps", s)
		}
		return Rate(f * float64(u.factor)), nil
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, fmt.Errorf("%q has no unit; write %sMbps, %sGbps or %skbps", s, s, s, s)
	}
	return 0, fmt.Errorf("%q is no rate; write a number and a unit (bps, kbps, Mbps, Gbps), as in 40Mbps", s)
}

// String returns the rate in the largest unit that divides it.
func (r Rate) String() string {
	for _, u := range rateUnits {
		if r != 0 && r%u.factor == 0 {
			return strconv.FormatInt(int64(r/u.factor), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(r), 10) + "bps"
}
