package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
	"time"

	"weir/internal/bench"
	"weir/rtmp"
)

var light = load{Viewers: 30, Streams: 1, Mbps: 0.4, Reader: bench.Eager}

// The script is a chunk stream: its preamble and messages decode to stamped frames in order.
func TestScriptIsAChunkStream(t *testing.T) {
	s := makeScript("live/fanout", shape(light))
	if !bytes.HasPrefix(s, []byte("WFLOOR1\n")) {
		t.Fatalf("%q", s[:8])
	}
	le := binary.LittleEndian
	period, n, preamble := le.Uint64(s[8:]), int(le.Uint32(s[16:])), int(le.Uint32(s[20:]))
	if period != uint64(scriptPeriod.Microseconds()) {
		t.Error(period)
	}
	table, stream := s[24:24+32*n], s[24+32*n:]
	var total int
	for i := range n {
		entry := table[32*i:]
		at, size := preamble+total, int(le.Uint32(entry[8:]))
		if off := le.Uint32(entry[12:]); off == noStamp || int(off) > size {
			t.Fatalf("message %d has no stamp", i)
		}
		if ts := stream[at+1 : at+4]; uint32(ts[0])<<16|uint32(ts[1])<<8|uint32(ts[2]) != le.Uint32(entry[24:]) {
			t.Fatalf("message %d: timestamp %x", i, ts)
		}
		total += size
	}
	if len(stream) != preamble+total {
		t.Fatalf("%d bytes, the table says %d", len(stream), preamble+total)
	}
	if mbps := float64(total) * 8 / 1e6 / scriptPeriod.Seconds(); mbps < 0.39 || mbps > 0.43 {
		t.Errorf("%.3f Mb/s", mbps)
	}
	d := rtmp.NewDecoder(rtmp.Limits{})
	media := 0
	for len(stream) > 0 {
		used, m, err := d.Decode(stream)
		if err != nil {
			t.Fatal(err)
		}
		if m != nil && m.Type.IsMedia() {
			media++
		}
		stream = stream[used:]
	}
	if media != n+2 {
		t.Errorf("%d media messages, want %d and two headers", media, n)
	}
}

// The floor is a contender like others: it must lose nothing, in any mode.
func TestFloorDeliversEveryFrame(t *testing.T) {
	tools := &tools{floorSource: "../floor.c", dir: t.TempDir()}
	for _, name := range []string{"floor-send", "floor-nodelay", "floor-writev50", "floor-sendfile50"} {
		t.Run(name, func(t *testing.T) {
			c, err := parseContender(tools, name)
			if err != nil {
				t.Fatal(err)
			}
			s, err := c.start(t.Context(), light)
			if err != nil {
				t.Fatal(err)
			}
			defer s.stop()
			r, err := bench.Play(t.Context(), bench.PlayOptions{
				URLs: []string{s.url}, Viewers: light.Viewers, Reader: light.Reader, Sample: 3, Pace: bench.Pace{Concurrency: 10},
				Window: 500 * time.Millisecond, PIDs: []int{s.pid},
			})
			if err != nil {
				t.Fatal(err)
			}
			f := r.Frames
			if r.Sessions.Up != light.Viewers || f.Received == 0 || f.Lost+f.Doubled+f.Foreign+f.Unstamped+f.Backwards+f.NoHeader != 0 {
				t.Errorf("%+v, %+v", r.Sessions, f)
			}
			if r.Latency.Count == 0 || r.Server == nil || r.Server.Ended != "" {
				t.Errorf("latency %+v, server %+v", r.Latency, r.Server)
			}
		})
	}
}

func TestServersEndWithTheirTrial(t *testing.T) {
	tools := &tools{floorSource: "../floor.c", dir: t.TempDir()}
	c, err := parseContender(tools, "floor-send")
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.start(t.Context(), light)
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	_, err = bench.Play(context.Background(), bench.PlayOptions{URLs: []string{s.url}, Viewers: 1, PIDs: []int{s.pid}})
	if err == nil {
		t.Errorf("process %d is still there", s.pid)
	}
}
