package stamp

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// arrival is one message as a viewer gets it.
type arrival struct {
	Frame
	at time.Duration // since the start
}

var start = time.UnixMicro(1_700_000_000_000_000)

// run returns the arrivals of a whole run: each frame 10 ms after it was sent.
func run(name string, epoch uint64, from, length time.Duration) []arrival {
	s := NewSource(name, epoch, Shape{VideoBitrate: 100_000, GOP: time.Second})
	var out []arrival
	for _, h := range s.Headers() {
		h.Timestamp += from.Milliseconds()
		out = append(out, arrival{h, from})
	}
	for s.Due() < length {
		due := from + s.Due()
		f := s.Next(nil, start.Add(due))
		f.Timestamp += from.Milliseconds()
		out = append(out, arrival{f, due + 10*time.Millisecond})
	}
	return out
}

func count(as []arrival) Report {
	c := NewCounter("live/a", time.Second)
	for _, a := range as {
		c.Observe(a.Type, uint32(a.Timestamp), a.Payload, start.Add(a.at))
	}
	return c.Report()
}

func TestCleanRunHasNoFaults(t *testing.T) {
	r := count(run("live/a", 1, 0, 3*time.Second))
	if f := r.Faults(); f != "" {
		t.Fatal(f)
	}
	if r.Video != 90 || r.Audio < 128 || r.Headers != 2 || r.Epoch != 1 {
		t.Fatalf("%+v", r)
	}
	if r.LongestGap > 34*time.Millisecond || r.LongestDelay.Round(time.Millisecond) != 10*time.Millisecond {
		t.Fatalf("gap %v, delay %v", r.LongestGap, r.LongestDelay)
	}
}

func TestEachFaultIsCountedByName(t *testing.T) {
	clean := func() []arrival { return run("live/a", 2, 0, 3*time.Second) }
	at := func(as []arrival, video bool, n int) int {
		for i, a := range as {
			if (a.Type == 9) == video && a.Payload[1] == 1 {
				if n == 0 {
					return i
				}
				n--
			}
		}
		panic("no such frame")
	}
	for name, c := range map[string]struct {
		change func([]arrival) []arrival
		want   string
	}{
		"three pictures lost": {func(as []arrival) []arrival {
			for range 3 {
				i := at(as, true, 20)
				as = slices.Delete(as, i, i+1)
			}
			return as
		}, "3 lost"},
		"a sound twice": {func(as []arrival) []arrival {
			i := at(as, false, 20)
			return slices.Insert(as, i, as[i])
		}, "1 doubled, 1 backwards"},
		"another stream's picture": {func(as []arrival) []arrival {
			i := at(as, true, 20)
			other := run("live/b", 2, 0, time.Second)
			as[i].Payload = other[at(other, true, 20)].Payload
			return as
		}, "1 lost, 1 foreign"},
		"a fenced publisher's picture": {func(as []arrival) []arrival {
			i := at(as, true, 20)
			old := run("live/a", 1, 0, time.Second)
			return slices.Insert(as, i, old[at(old, true, 20)])
		}, "1 foreign, 1 backwards"},
		"a damaged frame": {func(as []arrival) []arrival {
			i := at(as, true, 20)
			as[i].Payload = bytes.Clone(as[i].Payload)
			as[i].Payload[videoPrefix] = 0
			return as
		}, "1 lost, 1 unstamped"},
		"an empty message": {func(as []arrival) []arrival {
			return slices.Insert(as, 20, arrival{Frame{Type: 8}, as[20].at})
		}, "1 unstamped"},
		"one frame late": {func(as []arrival) []arrival {
			i := at(as, true, 20)
			as[i].at += 1100 * time.Millisecond
			return as
		}, "1 late"},
		"no key frame first": {func(as []arrival) []arrival {
			i := at(as, true, 0)
			return slices.Delete(as, i, i+1)
		}, "1 without a key frame first"},
		"the audio header missing": {func(as []arrival) []arrival {
			i := slices.IndexFunc(as, func(a arrival) bool { return a.Type == 8 && a.Payload[1] == 0 })
			as = slices.Delete(as, i, i+1)
			return as[:at(as, false, 2)]
		}, "2 before their header"},
	} {
		t.Run(name, func(t *testing.T) {
			r := count(c.change(clean()))
			if got := r.Faults(); got != c.want {
				t.Fatalf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestRestartedPublisherStartsANewCount(t *testing.T) {
	as := append(run("live/a", 1, 0, 2*time.Second), run("live/a", 2, 5*time.Second, 2*time.Second)...)
	r := count(as)
	if f := r.Faults(); f != "" {
		t.Fatal(f)
	}
	if r.Switches != 1 || r.Epoch != 2 {
		t.Fatalf("%d switches, epoch %d", r.Switches, r.Epoch)
	}
	if r.LongestGap < 2900*time.Millisecond || r.LongestGap > 3100*time.Millisecond {
		t.Fatalf("longest gap %v, want about 3 s", r.LongestGap)
	}
}

func TestTimestampsContinueOverWrap(t *testing.T) {
	as := run("live/a", 1, 0, 2*time.Second)
	for i := range as {
		as[i].Timestamp += 1<<32 - 1000
	}
	if f := count(as).Faults(); f != "" {
		t.Fatal(f)
	}
}
