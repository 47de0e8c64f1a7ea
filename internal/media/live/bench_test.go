package live

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// One publisher of 2.5 Mb/s with a GOP of 2 s; an operation is a message.
func BenchmarkAppend(b *testing.B) {
	for _, forms := range []string{"rtmp", "rtmp+flv"} {
		b.Run(forms, func(b *testing.B) {
			_, s, w := still(b)
			if forms != "rtmp" {
				s.mu.Lock()
				s.use(FLV)
				s.mu.Unlock()
			}
			sh := newShape()
			b.SetBytes(2 * 312_500 / messagesPerGOP)
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Write(sh.next()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The same with 1,000 viewers on sinks that take everything: what the pump
// itself costs. An operation is a pass, with the messages of 100 ms or just one.
func BenchmarkCursorSend(b *testing.B) {
	for _, batch := range []int{1, 8} {
		b.Run(fmt.Sprintf("1000-fakes/%d-messages", batch), func(b *testing.B) {
			h, s, w := still(b)
			sh, sinks := newShape(), make([]null, 1000)
			for i := range sinks {
				s.Join(JoinOptions{Sink: &sinks[i]})
			}
			p := h.pumps[0]
			p.readMail(h.now())
			b.ReportAllocs()
			passes := 0
			for b.Loop() {
				for range batch {
					if err := w.Write(sh.next()); err != nil {
						b.Fatal(err)
					}
				}
				passAll(p, h.now())
				passes++
			}
			sent := 0
			for i := range sinks {
				sent += sinks[i].bytes
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(passes)/1000, "ns/viewer")
			b.SetBytes(int64(sent / passes))
		})
	}
}

// 200 loopback viewers that read eagerly; an operation is a pass over all of
// them with the messages of 100 ms. The readers' time is in it.
func BenchmarkSocketSend(b *testing.B) {
	const viewers = 200
	h, s, w := still(b)
	sh := newShape()
	var wg sync.WaitGroup
	defer wg.Wait()
	list := make([]*Viewer, viewers)
	for i := range list {
		server, client := pair(b)
		sink, err := NewSocketSink(server)
		if err != nil {
			b.Fatal(err)
		}
		list[i] = s.Join(JoinOptions{Sink: sink})
		wg.Go(func() { discard(client) })
		defer server.Close()
	}
	p := h.pumps[0]
	p.readMail(h.now())
	b.ReportAllocs()
	passes := 0
	for b.Loop() {
		for range 8 {
			if err := w.Write(sh.next()); err != nil {
				b.Fatal(err)
			}
		}
		passAll(p, h.now())
		for len(p.blocked) > 0 {
			p.retry(h.now() + time.Second)
		}
		passes++
	}
	sent := int64(0)
	for _, v := range list {
		sent += v.Stats().Bytes
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(passes)/viewers, "ns/viewer")
	b.SetBytes(sent / int64(passes))
}

func discard(c *net.TCPConn) { io.Copy(io.Discard, onlyReader{c}) }

type onlyReader struct{ io.Reader }
