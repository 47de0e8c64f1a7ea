package load

import (
	"context"
	"io"
	"strconv"
	"time"

	"weir/internal/stream"
)

// nginx reads nginx-rtmp's /stat, of both forks, whatever "rtmp_stat" shows: all, live, or only
// global, which names no streams. nginx has a page of figures a worker process, so a server with several shows
// one of them at random; run one, as nginx-rtmp's own control module wants it.
type nginx struct {
	get  *getter
	url  string
	most int64 // bytes of an answer
	rate rate
}

func (n *nginx) read(ctx context.Context, now time.Duration) (r Report, err error) {
	err = n.get.get(ctx, n.url, n.most, func(body io.Reader) error {
		s, err := parseStat(body)
		if err != nil {
			return err
		}
		r, err = s.report(&n.rate, now)
		return err
	})
	return r, err
}

// nowhere is a server whose statistics nobody has said the place of.
type nowhere struct{}

func (nowhere) read(context.Context, time.Duration) (Report, error) {
	return Report{}, &Fault{Word: Unasked, Text: "nothing to ask: load.kind nginx needs load.url, or the server's HTTP address"}
}

// stat is what a /stat page says.
type stat struct {
	pid           string
	in, out       uint64 // bytes
	inBPS, outBPS uint64 // averages of the last 10 s
	streams       *names // nil if it shows none
	sessions      uint64
	publishers    int
}

func (s *stat) report(r *rate, now time.Duration) (Report, error) {
	rep := Report{}
	rep.Load.EgressBPS, rep.Load.IngressBPS = float64(s.outBPS), float64(s.inBPS)
	if r.next(s.pid, now, s.in, s.out) {
		rep.Load.EgressBPS, rep.Load.IngressBPS = r.outBPS, r.inBPS
	}
	rep.Load.Sessions, rep.Load.Publishers = int(min(s.sessions, maxCount+1)), s.publishers
	if s.streams != nil {
		rep.Streams, rep.LeftOut = s.streams.list, s.streams.leftOut
	}
	return rep, possible(&rep.Load)
}

// parseStat reads one page. Paths in it:
//
//	rtmp/{pid,bytes_in,bytes_out,bw_in,bw_out}
//	rtmp/server/application/name
//	rtmp/server/application/live/stream/{name,nclients,publishing}
//	rtmp/server/application/{live,play}/nclients
func parseStat(r io.Reader) (*stat, error) {
	s, sc := &stat{}, newScanner(r)
	var app, name string
	var publishing, global bool
	for {
		e, err := sc.next()
		if err == io.EOF {
			return nil, garbage("the answer is not nginx-rtmp's statistics: it has no <rtmp>")
		}
		if err != nil {
			return nil, err
		}
		tag := string(sc.at(sc.depth))
		if e == opened {
			switch {
			case sc.depth == 1 && tag != "rtmp":
				return nil, garbage("the answer is not nginx-rtmp's statistics: it begins with <%s>", printable([]byte(tag)))
			case sc.depth == 4 && tag == "live" && s.streams == nil:
				s.streams = newNames()
			case sc.depth == 5 && tag == "stream":
				name, publishing = "", false
			}
			continue
		}
		switch in := sc.section(); {
		case sc.depth == 1:
			if !global {
				return nil, garbage("the statistics have no bytes_in and bytes_out: it is not nginx-rtmp's")
			}
			return s, nil // whatever follows is not read
		case sc.depth == 2:
			global = global || tag == "bytes_out"
			err = s.counter(tag, sc)
		case sc.depth == 4 && tag == "name":
			app = sc.value()
		case sc.depth == 5 && tag == "nclients":
			err = s.add(sc)
		case in == "live" && sc.depth == 5 && tag == "stream" && publishing:
			s.publishers++
			s.streams.add(stream.NewName(app, name))
		case in == "live" && sc.depth == 6 && string(sc.at(5)) == "stream" && tag == "name":
			name = sc.value()
		case in == "live" && sc.depth == 6 && string(sc.at(5)) == "stream" && tag == "publishing":
			publishing = true
		}
		if err != nil {
			return nil, err
		}
		sc.leave()
	}
}

// section is live or play where the path is in one.
func (s *scanner) section() string {
	if s.depth < 4 || string(s.at(3)) != "application" {
		return ""
	}
	return string(s.at(4))
}

// counter takes one of the page's own figures.
func (s *stat) counter(tag string, sc *scanner) (err error) {
	switch tag {
	case "pid":
		s.pid = shorten(sc.value())
	case "bytes_in":
		s.in, err = figure(sc)
	case "bytes_out":
		s.out, err = figure(sc)
	case "bw_in":
		s.inBPS, err = figure(sc)
	case "bw_out":
		s.outBPS, err = figure(sc)
	}
	return err
}

// add takes the clients of one application.
func (s *stat) add(sc *scanner) error {
	n, err := figure(sc)
	s.sessions = min(s.sessions+min(n, maxCount+1), maxCount+1)
	return err
}

// figure is the text of an element as a number.
func figure(sc *scanner) (uint64, error) {
	n, err := strconv.ParseUint(sc.value(), 10, 64)
	if err != nil {
		return 0, garbage("<%s> is no number", sc.at(sc.depth))
	}
	return n, nil
}
