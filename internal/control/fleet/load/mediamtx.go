package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"weir/internal/stream"
)

// mediamtx reads MediaMTX's API: all pages of its paths, and of its RTMP connections.
type mediamtx struct {
	get  *getter
	base string               // the URL before /v3
	last map[string][2]uint64 // bytes in and out, by path, at the last poll
	at   time.Duration

	inBPS, outBPS float64
}

func newMediaMTX(g *getter, url string) *mediamtx {
	url = strings.TrimRight(url, "/")
	for _, tail := range []string{"/paths/list", "/rtmpconns/list"} {
		url = strings.TrimSuffix(url, tail)
	}
	return &mediamtx{get: g, base: strings.TrimSuffix(url, "/v3")}
}

// path is what Weir wants of a path.
type path struct {
	Name   string
	Ready  bool
	Source *struct{ Type string }
	// The readers are counted, not kept: an item of no size takes no memory, however many there are.
	Readers  []struct{}
	Received uint64 `json:"bytesReceived"`
	Sent     uint64 `json:"bytesSent"`
}

func (m *mediamtx) read(ctx context.Context, now time.Duration) (Report, error) {
	var r Report
	n := newNames()
	bytes := map[string][2]uint64{}
	err := m.list(ctx, "paths", func(d *json.Decoder) error {
		var p path
		if err := d.Decode(&p); err != nil {
			return err
		}
		if len(bytes) < maxStreams {
			bytes[p.Name] = [2]uint64{p.Received, p.Sent}
		}
		r.Load.Sessions += len(p.Readers)
		if p.Source != nil && brought(p.Source.Type) {
			r.Load.Sessions++
			r.Load.Publishers++
		}
		if p.Ready {
			n.add(stream.ParseName(p.Name))
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	conns := 0
	err = m.list(ctx, "rtmpconns", func(d *json.Decoder) error {
		conns++
		return past(d)
	})
	var f *Fault
	if err != nil && !(errors.As(err, &f) && f.Word == BadStatus) { // a server without RTMP has no such list
		return r, err
	}
	r.Load.Sessions = max(r.Load.Sessions, conns) // some neither read nor publish yet
	r.Streams, r.LeftOut = n.list, n.leftOut
	m.bandwidth(bytes, now)
	r.Load.IngressBPS, r.Load.EgressBPS = m.inBPS, m.outBPS
	return r, possible(&r.Load)
}

// brought reports whether a source is somebody who publishes, not a pull of the server's own: rtmpConn, rtspSession,
// webRTCSession, srtConn; against rtmpSource, hlsSource, redirect.
func brought(kind string) bool {
	return strings.HasSuffix(kind, "Conn") || strings.HasSuffix(kind, "Session")
}

// bandwidth adds up what the paths have moved since the last poll. Paths come and go, and each counts from
// 0 again.
func (m *mediamtx) bandwidth(bytes map[string][2]uint64, now time.Duration) {
	dt := (now - m.at).Seconds()
	if m.last != nil && now-m.at < leastInterval {
		return
	}
	m.inBPS, m.outBPS = 0, 0
	for name, b := range bytes {
		if was, ok := m.last[name]; ok && b[0] >= was[0] && b[1] >= was[1] {
			m.inBPS += float64(b[0]-was[0]) * 8 / dt
			m.outBPS += float64(b[1]-was[1]) * 8 / dt
		}
	}
	m.last, m.at = bytes, now
}

// list reads all pages; each reads an item.
func (m *mediamtx) list(ctx context.Context, noun string, each member) error {
	for page := 0; ; page++ {
		n, pages := 0, 0
		target := fmt.Sprintf("%s/v3/%s/list?page=%d&itemsPerPage=%d", m.base, noun, page, pageItems)
		err := m.get.get(ctx, target, maxPageBytes, func(r io.Reader) error {
			found := false
			err := object(decoder(r), map[string]member{
				"pageCount": into(&pages),
				"items": func(d *json.Decoder) error {
					found = true
					return items(2*pageItems, func(d *json.Decoder) error { n++; return each(d) })(d)
				},
			})
			if err == nil && !found {
				return garbage("the answer has no items: it is not MediaMTX's")
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case page+1 >= pages || n == 0:
			return nil
		case page+1 == maxPages:
			return &Fault{Word: TooLong, Text: fmt.Sprintf("its list of %s has no end", noun)}
		}
	}
}
