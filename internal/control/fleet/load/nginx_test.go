package load

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"weir/internal/stream"
)

func name(app, n string) stream.Name { return stream.Name{App: app, Stream: n} }

func page(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStatOfBothForksInAllShapes(t *testing.T) {
	for _, tc := range []struct {
		file                 string
		streams              []stream.Name // nil: not said
		sessions, publishers int
		in, out, leftOut     int
	}{
		{"stat-all.xml", []stream.Name{name("live", "a&<b"), name("region/live", "c")}, 9, 3, 2_612_345, 15_700_000, 1},
		{"stat-live.xml", []stream.Name{name("live", "a&<b")}, 2, 1, 0, 0, 0},
		{"stat-global.xml", nil, 0, 0, 1000, 2000, 0},
		{"stat-dryabzhinsky.xml", []stream.Name{name("live", "b")}, 3, 1, 3_000_000, 6_000_000, 0},
	} {
		text := page(t, tc.file)
		for _, r := range []string{"whole", "byte by byte"} {
			rd := strings.NewReader(text)
			s, err := parseStat(rd)
			if r != "whole" {
				rd.Reset(text)
				s, err = parseStat(iotest.OneByteReader(rd))
			}
			if err != nil {
				t.Errorf("%s, %s: %v", tc.file, r, err)
				continue
			}
			rep, err := s.report(&rate{}, 0)
			if err != nil {
				t.Errorf("%s, %s: %v", tc.file, r, err)
			}
			if fmt.Sprint(rep.Streams) != fmt.Sprint(tc.streams) || (rep.Streams == nil) != (tc.streams == nil) || rep.LeftOut != tc.leftOut {
				t.Errorf("%s, %s: streams %q and %d left out", tc.file, r, rep.Streams, rep.LeftOut)
			}
			l := rep.Load
			if l.Sessions != tc.sessions || l.Publishers != tc.publishers || l.IngressBPS != float64(tc.in) || l.EgressBPS != float64(tc.out) {
				t.Errorf("%s, %s: %+v", tc.file, r, l)
			}
		}
	}
}

// ngx is a small page that is good.
func ngx(inner string) string {
	return "<rtmp><pid>1</pid><bytes_in>1</bytes_in><bytes_out>2</bytes_out>" + inner + "</rtmp>"
}

func live(inner string) string {
	return ngx("<server><application><name>live</name><live>" + inner + "<nclients>1</nclients></live></application></server>")
}

func TestWhatAClientCallsItselfDoesNotBlindTheBalancer(t *testing.T) {
	for _, own := range []string{"\x01\x02", "\xff\xfe", "&#0;&nosuch;&", "a]]>b", strings.Repeat("x", 20_000)} {
		s, err := parseStat(strings.NewReader(live("<stream><name>a</name><client><flashver>" + own + "</flashver><publishing/></client><nclients>2</nclients><publishing/></stream>")))
		if err != nil || len(s.streams.list) != 1 {
			t.Errorf("flashver %.20q: %v", own, err)
		}
	}
}

func TestStatRefusesLies(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]><rtmp>&lol2;</rtmp>`
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", "", "it has no <rtmp>"},
		{"a word", "hello", "it has no <rtmp>"},
		{"zeros", string(make([]byte, 100_000)), "it has no <rtmp>"},
		{"a web page", "<!DOCTYPE html><html></html>", "has a declaration (<!D"},
		{"a web page without a declaration", "<html></html>", "begins with <html>"},
		{"JSON", `{"rtmp":1}`, "it has no <rtmp>"},
		{"an entity bomb", bomb, "has a declaration (<!D"},
		{"CDATA", ngx("<![CDATA[x]]>"), "has a declaration (<![…)"},
		{"broken off", ngx("")[:40], "breaks off"},
		{"broken off in a tag", "<rt", "breaks off within a tag"},
		{"not well-formed", "<rtmp><a></b></rtmp>", "</b> ends nothing"},
		{"an end without a beginning", "</rtmp>", "</rtmp> ends nothing"},
		{"a tag in a tag", "<rtmp <a>", "'<' in a tag"},
		{"no name", "<rtmp>< a></rtmp>", "a tag without a name"},
		{"deep", strings.Repeat("<rtmp>", 100), "nested more than 16 deep"},
		{"a long name", "<" + strings.Repeat("a", 100_000), "name is longer than 64 bytes"},
		{"a long tag", "<rtmp " + strings.Repeat(`a="b" `, 100_000), "a tag is longer than 4096 bytes"},
		{"an empty page", "<rtmp/>", "no bytes_in and bytes_out"},
		{"another's", "<rtmp><nginx_version>1</nginx_version></rtmp>", "no bytes_in and bytes_out"},
		{"a word for a figure", "<rtmp><bytes_in>many</bytes_in></rtmp>", "<bytes_in> is no number"},
		{"a negative one", "<rtmp><bytes_in>-1</bytes_in></rtmp>", "<bytes_in> is no number"},
		{"one that is too long", "<rtmp><bw_out>99999999999999999999999</bw_out></rtmp>", "<bw_out> is no number"},
		{"an escape in the message", "<a\x9b31m>", `begins with <a\x9b31m>`},
	} {
		_, err := parseStat(strings.NewReader(tc.text))
		var f *Fault
		if !errors.As(err, &f) || f.Word != Garbage || !strings.Contains(f.Text, tc.want) || strings.Contains(f.Text, "\x9b") {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	for _, tc := range []struct{ name, text string }{
		{"bandwidth", ngx("<bw_out>99999999999999</bw_out>")},
		{"clients", live("<nclients>18446744073709551615</nclients>")},
		{"clients that overflow", live(strings.Repeat("<nclients>18446744073709551615</nclients>", 3))},
	} {
		s, err := parseStat(strings.NewReader(tc.text))
		if err == nil {
			_, err = s.report(&rate{}, 0)
		}
		var f *Fault
		if !errors.As(err, &f) || f.Word != Impossible {
			t.Errorf("%s that cannot be: %v", tc.name, err)
		}
	}
}

func TestCommentsAndTheirOddEndsArePassedOver(t *testing.T) {
	for _, c := range []string{"<!---->", "<!-- <a> -->", "<!-- - -- --->", "<?pi ?? ?>", "<!----->"} {
		if _, err := parseStat(strings.NewReader(c + ngx(c) + "<and what follows is not read")); err != nil {
			t.Errorf("%q: %v", c, err)
		}
	}
}

func TestRatesAreOfTheCounters(t *testing.T) {
	var r rate
	at := func(pid string, s float64, in, out uint64) (float64, float64, bool) {
		known := r.next(pid, time.Duration(s*float64(time.Second)), in, out)
		return r.inBPS, r.outBPS, known
	}
	for i, step := range []struct {
		pid     string
		at      float64
		in, out uint64
		wantIn  float64
		wantOut float64
		known   bool
	}{
		{"1", 100, 1000, 0, 0, 0, false},
		{"1", 102, 2000, 500, 4000, 2000, true},
		{"1", 102.1, 9000, 900, 4000, 2000, true},   // too soon
		{"1", 104, 4000, 1500, 8000, 4000, true},    // counted from 102 on
		{"2", 106, 10_000, 2000, 0, 0, false},       // another process
		{"2", 108, 10_000, 4000, 0, 8000, true},     //
		{"2", 110, 10, 20, 0, 0, false},             // the same, anew
		{"2", 112, 10, 20, 0, 0, true},              // idle is known
		{"2", 111, 10, 20, 0, 0, false},             // a clock that goes back
		{"2", 113, 1 << 63, 1<<63 + 20, 0, 0, true}, // any figure goes; report judges
	} {
		in, out, known := at(step.pid, step.at, step.in, step.out)
		if step.in == 1<<63 {
			if known != step.known {
				t.Errorf("step %d", i)
			}
			continue
		}
		if in != step.wantIn || out != step.wantOut || known != step.known {
			t.Errorf("step %d: %v %v %v, want %v %v %v", i, in, out, known, step.wantIn, step.wantOut, step.known)
		}
	}
}

// FuzzStat: whatever comes, memory stays within 8 times the input and a MiB.
func FuzzStat(f *testing.F) {
	for _, file := range []string{"stat-all.xml", "stat-live.xml", "stat-global.xml", "stat-dryabzhinsky.xml"} {
		f.Add(page(f, file))
	}
	f.Add(live("<stream><name>a</name><publishing/></stream>"))
	f.Add("<rtmp " + strings.Repeat(`a="b" `, 100))
	f.Fuzz(func(t *testing.T, text string) {
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		s, err := parseStat(strings.NewReader(text))
		if err == nil {
			_, err = s.report(&rate{}, 0)
		}
		runtime.ReadMemStats(&b)
		if got, limit := b.TotalAlloc-a.TotalAlloc, uint64(8*len(text)+1<<20); got > limit {
			t.Errorf("%d bytes allocated for %d", got, len(text))
		}
		var fault *Fault
		if err != nil && !errors.As(err, &fault) {
			t.Errorf("%T %v", err, err)
		}
	})
}

func BenchmarkStat1000Streams10000Clients(b *testing.B) {
	var sb strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&sb, "<stream><name>s%d</name><time>1</time><bw_in>2500000</bw_in><bytes_in>1000</bytes_in>", i)
		for j := range 10 {
			fmt.Fprintf(&sb, "<client><id>%d</id><address>192.0.2.1</address><time>1</time><flashver>LNX 9,0,124,2</flashver><dropped>0</dropped><avsync>0</avsync><timestamp>1</timestamp><active/></client>\r\n", j)
		}
		sb.WriteString("<nclients>11</nclients><publishing/><active/></stream>\r\n")
	}
	text := live(sb.String())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := parseStat(strings.NewReader(text))
		if err != nil || len(s.streams.list) != 1000 {
			b.Fatal(err)
		}
	}
}
