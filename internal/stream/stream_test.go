package stream

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestNameRefusesWhatWouldEscape(t *testing.T) {
	long := strings.Repeat("a", MaxNameBytes)
	for _, ok := range [][2]string{{"live", "alice"}, {"region/live", "a"}, {"live", "ключ"}, {"live", long}, {"live", "a.b"}, {"live", "a..b"}} {
		n, err := NewName(ok[0], ok[1])
		if err != nil {
			t.Errorf("NewName(%q, %q): %v", ok[0], ok[1], err)
		}
		if back, err := ParseName(n.String()); err != nil || back != n {
			t.Errorf("ParseName(%q) = %v, %v", n, back, err)
		}
	}
	for _, bad := range []string{"", "/a", "a/../b", "..", ".", "a//b", "a/", "a\\b", "a\x00b", "a\r\nb", "\x7f", "a\u0085b", "%2e%2e/x", "%2F", "a%00", "\xff", long + "a"} {
		var ne *NameError
		if _, err := NewName("live", bad); !errors.As(err, &ne) || ne.Part != "stream" {
			t.Errorf("stream %q accepted (%v)", bad, err)
		}
		if _, err := NewName(bad, "x"); !errors.As(err, &ne) || ne.Part != "app" {
			t.Errorf("app %q accepted (%v)", bad, err)
		}
	}
	if _, err := ParseName("alice"); err == nil {
		t.Error("a name without an application was accepted")
	}
}

func TestEpochOrderAndText(t *testing.T) {
	up := []Epoch{{}, {1, 9}, {2, 1}, {2, 2}, {1 << 63, 0}}
	for i, a := range up {
		for j, b := range up {
			if a.Less(b) != (i < j) {
				t.Errorf("%v < %v = %v", a, b, a.Less(b))
			}
		}
		blob, _ := json.Marshal(a)
		var back Epoch
		if err := json.Unmarshal(blob, &back); err != nil || back != a {
			t.Errorf("%s → %v, %v", blob, back, err)
		}
	}
	for _, bad := range []string{"", "1", "1.", ".1", "1.2.3", "-1.2", "1.2 ", "+1.2", "01.2"} {
		if e, err := ParseEpoch(bad); err == nil {
			t.Errorf("ParseEpoch(%q) = %v", bad, e)
		}
	}
}
