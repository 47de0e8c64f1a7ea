package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"weir/internal/control/place"
	"weir/internal/stream"
)

// srs reads SRS's API: the summaries for the process, and all pages of streams and clients.
type srs struct {
	get  *getter
	base string // the URL before /api/v1
	rate rate
}

func newSRS(g *getter, url string) *srs {
	url = strings.TrimRight(url, "/")
	for _, tail := range []string{"/summaries", "/streams", "/clients"} {
		url = strings.TrimSuffix(url, tail)
	}
	return &srs{get: g, base: strings.TrimSuffix(url, "/api/v1")}
}

func (s *srs) read(ctx context.Context, _ time.Duration) (Report, error) {
	var r Report
	sum, err := s.summaries(ctx)
	if err != nil {
		return r, err
	}
	n := newNames()
	var inKbps, outKbps float64
	err = s.list(ctx, "streams", func(d *json.Decoder) (string, error) {
		var x struct {
			ID        any
			App, Name string
			Kbps      struct {
				Recv float64 `json:"recv_30s"`
				Send float64 `json:"send_30s"`
			}
			Publish struct{ Active bool }
		}
		if err := d.Decode(&x); err != nil {
			return "", err
		}
		inKbps, outKbps = inKbps+x.Kbps.Recv, outKbps+x.Kbps.Send
		if x.Publish.Active {
			n.add(stream.NewName(x.App, x.Name))
		}
		return fmt.Sprint(x.ID), nil
	})
	if err != nil {
		return r, err
	}
	err = s.list(ctx, "clients", func(d *json.Decoder) (string, error) {
		var x struct {
			ID      any
			Publish bool
		}
		if err := d.Decode(&x); err != nil {
			return "", err
		}
		r.Load.Sessions++
		if x.Publish {
			r.Load.Publishers++
		}
		return fmt.Sprint(x.ID), nil
	})
	if err != nil {
		return r, err
	}
	r.Streams, r.LeftOut = n.list, n.leftOut
	s.bandwidth(&r.Load, sum, inKbps*1000, outKbps*1000)
	// SRS is one thread: it is full when that is, however many cores are idle.
	if r.Load.CPU = max(sum.Self.CPU, sum.System.CPU); min(sum.Self.CPU, sum.System.CPU) < 0 {
		r.Load.CPU = -1
	}
	return r, possible(&r.Load)
}

// bandwidth is from the process's byte counters where they move: its 30 s averages are old.
func (s *srs) bandwidth(l *place.Load, sum *summary, inBPS, outBPS float64) {
	l.IngressBPS, l.EgressBPS = inBPS, outBPS
	of := fmt.Sprint(sum.Self.PID)
	if s.rate.next(of, time.Duration(sum.System.Sampled)*time.Millisecond, sum.System.In, sum.System.Out) && s.rate.inBPS+s.rate.outBPS > 0 {
		l.IngressBPS, l.EgressBPS = s.rate.inBPS, s.rate.outBPS
	}
}

// summary is what Weir wants of the summaries.
type summary struct {
	OK   bool
	Self struct {
		PID int64
		CPU float64 `json:"cpu_percent"` // of one core; 0 to 1, in spite of the name
	}
	System struct {
		CPU     float64 `json:"cpu_percent"`
		Sampled uint64  `json:"srs_sample_time"` // ms
		In      uint64  `json:"srs_recv_bytes"`
		Out     uint64  `json:"srs_send_bytes"`
	}
}

func (s *srs) summaries(ctx context.Context) (*summary, error) {
	var sum summary
	err := s.page(ctx, "/api/v1/summaries", map[string]member{"data": into(&sum)})
	return &sum, err
}

// list reads all pages; each reads an item and returns its id. A list changes while it is read, so pages may overlap: a page
// that holds nothing new ends it, whatever the server makes of start and count.
func (s *srs) list(ctx context.Context, noun string, each func(*json.Decoder) (string, error)) error {
	last := ""
	for start, pages := 0, 0; ; pages++ {
		if pages == maxPages {
			return &Fault{Word: TooLong, Text: fmt.Sprintf("its list of %s has no end", noun)}
		}
		n, first := 0, ""
		err := s.page(ctx, fmt.Sprintf("/api/v1/%s?start=%d&count=%d", noun, start, pageItems), map[string]member{
			noun: items(2*pageItems, func(d *json.Decoder) error {
				id, err := each(d)
				if n++; n == 1 {
					first = id
				}
				if n == 1 && start > 0 && first == last {
					return &Fault{Word: Impossible, Text: fmt.Sprintf("each page of its %s is the same", noun)}
				}
				return err
			}),
		})
		if err != nil {
			return err
		}
		last = first
		if start += n; n < leastPage {
			return nil
		}
	}
}

// page reads one answer. SRS tells errors by status, or by a code that is not 0.
func (s *srs) page(ctx context.Context, path string, members map[string]member) error {
	var code int64
	members["code"] = into(&code)
	return s.get.get(ctx, s.base+path, maxPageBytes, func(r io.Reader) error {
		if err := object(decoder(r), members); err != nil {
			return err
		}
		if code != 0 {
			return &Fault{Word: BadStatus, Text: fmt.Sprintf("answers with code %d", code)}
		}
		return nil
	})
}
