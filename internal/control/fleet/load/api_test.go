package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"weir/internal/control/place"
	"weir/internal/proctest"
)

func dialTCP(ctx context.Context, addr string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
}

// srsServer answers as SRS does (CONTRACTS 4), with so many streams and clients; it never gives more than most
// items a page, and 10 if it is not told.
type srsServer struct {
	streams, clients, most int
	in, out                uint64 // of the process
	sampled                int64
	pid                    int
	pages                  int
}

func (s *srsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start, _ := strconv.Atoi(r.FormValue("start"))
	n, _ := strconv.Atoi(r.FormValue("count"))
	if n == 0 {
		n = 10
	}
	if s.most > 0 {
		n = min(n, s.most)
	}
	s.pages++
	head := fmt.Sprintf(`{"code":0,"server":"vid-x","service":"s","pid":"%d",`, s.pid)
	var list []string
	switch r.URL.Path {
	case "/api/v1/summaries":
		fmt.Fprintf(w, head+`"data":{"ok":true,"now_ms":1700000000000,"self":{"version":"6.0.1","pid":%d,"ppid":1,"argv":"./objs/srs -c x","cwd":"/","mem_kbyte":20000,"mem_percent":0.01,"cpu_percent":0.42,"srs_uptime":100},
			"system":{"cpu_percent":0.12,"disk_read_KBps":0,"mem_ram_kbyte":1,"cpus":4,"cpus_online":4,"uptime":1,"ilde_time":1,"load_1m":0.1,"net_sample_time":1,"net_recv_bytes":5,"net_send_bytes":5,
			"srs_sample_time":%d,"srs_recv_bytes":%d,"srs_send_bytes":%d,"conn_sys":9,"conn_srs":3}}}`, s.pid, s.sampled, s.in, s.out)
		return
	case "/api/v1/streams":
		for i := start; i < min(start+n, s.streams); i++ {
			list = append(list, fmt.Sprintf(`{"id":"vid-%d","name":"s%d","vhost":"vid-0","app":"live","tcUrl":"rtmp://h/live","url":"/live/s%d","live_ms":1,"clients":2,"frames":1,"send_bytes":1,"recv_bytes":1,
				"kbps":{"recv_30s":2500,"send_30s":5000},"publish":{"active":%t,"cid":"c1"},"video":{"codec":"H264","profile":"High","level":"3.1","width":1280,"height":720},"audio":null}`, i, i, i, i%2 == 0))
		}
		fmt.Fprintf(w, head+`"streams":[%s]}`, strings.Join(list, ","))
	case "/api/v1/clients":
		for i := start; i < min(start+n, s.clients); i++ {
			list = append(list, fmt.Sprintf(`{"id":"c%d","vhost":"vid-0","stream":"vid-1","ip":"192.0.2.1","pageUrl":"","swfUrl":"","tcUrl":"rtmp://h/live","url":"/live/s","name":"s","type":"rtmp-play","publish":%t,"alive":1.5,"send_bytes":1,"recv_bytes":1,"kbps":{"recv_30s":0,"send_30s":0}}`, i, i%5 == 0))
		}
		fmt.Fprintf(w, head+`"clients":[%s]}`, strings.Join(list, ","))
	default:
		http.NotFound(w, r)
	}
}

func TestSRSAllPages(t *testing.T) {
	for _, most := range []int{0, 10, 100, 7} { // however the server bounds a page
		s := &srsServer{streams: 2500, clients: 1203, most: most, pid: 7, sampled: 1000, in: 1000, out: 2000}
		if most == 7 {
			s.streams, s.clients = 5, 5 // a page shorter than any default is the last
		}
		web := httptest.NewServer(s)
		src := newSRS(newGetter(dialTCP), web.URL+"/api/v1/streams")
		r, err := src.read(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		wantStreams, wantPubs := (s.streams+1)/2, (s.clients+4)/5
		if len(r.Streams) != wantStreams || r.Load.Sessions != s.clients || r.Load.Publishers != wantPubs || r.Load.CPU != 0.42 {
			t.Errorf("pages of %d: %d streams, %+v", most, len(r.Streams), r.Load)
		}
		if r.Load.IngressBPS != 2.5e6*float64(s.streams) || r.Load.EgressBPS != 5e6*float64(s.streams) {
			t.Errorf("pages of %d: first rates %+v, want the streams' averages", most, r.Load)
		}
		s.sampled, s.in, s.out = 3000, 1000+1e6, 2000+3e6
		if r, err = src.read(t.Context(), 0); err != nil || r.Load.IngressBPS != 4e6 || r.Load.EgressBPS != 12e6 {
			t.Errorf("pages of %d: rates %+v %v, want those of the counters", most, r.Load, err)
		}
		web.Close()
	}
}

func TestMediaMTXAllPages(t *testing.T) {
	const paths = 2300
	sent := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.FormValue("page"))
		per, _ := strconv.Atoi(r.FormValue("itemsPerPage"))
		var list []string
		total := paths
		switch r.URL.Path {
		case "/v3/paths/list":
			for i := page * per; i < min((page+1)*per, paths); i++ {
				src := `{"type":"rtmpConn","id":"x"}`
				switch i % 4 {
				case 2:
					src = `{"type":"rtmpSource","id":""}`
				case 3:
					src = "null"
				}
				list = append(list, fmt.Sprintf(`{"name":"live/s%d","confName":"all_others","source":%s,"ready":%t,"readyTime":null,"tracks":["H264"],"bytesReceived":%d,"bytesSent":%d,"readers":[{"type":"rtmpConn","id":"a"},{"type":"hlsMuxer","id":""}]}`,
					i, src, i%4 != 3, sent, 2*sent))
			}
			if page == 0 {
				list = append(list, `{"name":"noapp","source":null,"ready":true,"readers":[]}`)
			}
		case "/v3/rtmpconns/list":
			total = 10
			for i := range 10 {
				list = append(list, fmt.Sprintf(`{"id":"%d","created":"2024-01-01T00:00:00Z","remoteAddr":"192.0.2.1:1","state":"read","path":"live/s","query":"","bytesReceived":1,"bytesSent":1}`, i))
			}
		default:
			http.NotFound(w, r)
		}
		fmt.Fprintf(w, `{"pageCount":%d,"itemCount":%d,"items":[%s]}`, (total+per-1)/per, total, strings.Join(list, ","))
	}))
	defer web.Close()
	src := newMediaMTX(newGetter(dialTCP), web.URL+"/v3/paths/list")
	r, err := src.read(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Streams) != paths*3/4 || r.LeftOut != 1 || r.Load.Sessions != 2*paths+paths/2 || r.Load.Publishers != paths/2 {
		t.Errorf("%d streams, %d left out, %+v", len(r.Streams), r.LeftOut, r.Load)
	}
	sent = 1000
	if r, err = src.read(t.Context(), 3*time.Second); err != nil || r.Load.IngressBPS != 1000*8/2*paths || r.Load.EgressBPS != 2000*8/2*paths {
		t.Errorf("rates %+v %v", r.Load, err)
	}
}

func TestAMediaMTXWithoutRTMPHasNoListOfItsConnections(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v3/paths/list" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"pageCount":1,"itemCount":1,"items":[{"name":"live/a","source":{"type":"webRTCSession"},"ready":true,"readers":[]}]}`)
	}))
	defer web.Close()
	r, err := newMediaMTX(newGetter(dialTCP), web.URL).read(t.Context(), 0)
	if err != nil || r.Load.Publishers != 1 || len(r.Streams) != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestLiesAreRefusedWithAReason: every kind of answer that is not what it should be, of each kind of source.
func TestLiesAreRefusedWithAReason(t *testing.T) {
	chunk := []byte(strings.Repeat("x", 64<<10))
	endless := func(head string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, head)
			for _, err := w.Write(chunk); err == nil; _, err = w.Write(chunk) {
			}
		}
	}
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, s) }
	}
	secret := "s3cret"
	type lie struct {
		name    string
		kinds   string // of n(ginx), s(rs), m(ediamtx)
		serve   http.HandlerFunc
		word    Word
		within  string
		timeout time.Duration
	}
	for _, l := range []lie{
		{"garbage", "nsm", text("\x00\x01garbage"), Garbage, "", 0},
		{"a web page", "nsm", text("<html><body>It works!</body></html>"), Garbage, "", 0},
		{"nothing", "nsm", text(""), Garbage, "", 0},
		{"the other's format", "sm", text(ngx("")), Garbage, "not JSON", 0},
		{"the other's format", "n", text(`{"code":0,"data":{}}`), Garbage, "nginx-rtmp's", 0},
		{"an endless body", "n", endless("<rtmp><pid>1</pid>"), TooLong, "more than 1 MiB", 0},
		{"an endless body", "sm", endless(`{"code":0,"a":"`), TooLong, "more than 8 MiB", 0},
		{"blanks", "sm", text("{" + strings.Repeat(" ", 10_000) + "}"), Garbage, "blank for more than 4096 bytes", 0},
		{"a body that drips", "nsm", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, Slow, "no complete answer", 100 * time.Millisecond},
		{"silence", "nsm", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Slow, "no complete answer", 100 * time.Millisecond},
		{"a redirect", "nsm", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.9/steal?"+secret, http.StatusFound)
		}, Redirected, "redirects to 192.0.2.9 (status 302), which is not followed", 0},
		{"a redirect to itself", "nsm", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusMovedPermanently)
		}, Redirected, "redirects elsewhere", 0},
		{"forbidden", "nsm", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }, BadStatus, "status 403", 0},
		{"compressed", "nsm", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(chunk)
		}, Garbage, "compressed", 0},
		{"broken off", "n", text(ngx("")[:30]), Garbage, "breaks off", 0},
		{"broken off", "sm", text(`{"code":0,"data":{"ok":tr`), Garbage, "breaks off", 0},
		{"a list that is none", "s", text(`{"code":0,"data":{},"streams":7}`), Garbage, "JSON that was expected", 0},
		{"a list that is none", "m", text(`{"pageCount":1,"items":{}}`), Garbage, "JSON that was expected", 0},
		{"no list", "m", text(`{"pageCount":1}`), Garbage, "no items", 0},
		{"a code", "s", text(`{"code":2048,"data":{}}`), BadStatus, "code 2048", 0},
		{"a word for a figure", "s", text(`{"code":0,"data":{"system":{"srs_recv_bytes":"many"}}}`), Garbage, "not what it should be", 0},
		{"a figure that cannot be", "s", text(`{"code":0,"data":{"self":{"cpu_percent":-1}},"streams":[],"clients":[]}`), Impossible, "processor", 0},
		{"deep", "sm", text(`{"x":` + strings.Repeat("[", 1000)), Garbage, "nested", 0},
		{"more than a page", "m", text(`{"pageCount":1,"items":[` + strings.Repeat("{},", 5000) + `{}]}`), TooLong, "more than was asked for", 0},
		{"the same page for ever", "s", text(`{"code":0,"data":{},"streams":[` + strings.Repeat(`{"id":"a"},`, 20) + `{"id":"b"}]}`), Impossible, "each page of its streams is the same", 0},
		{"pages without end", "m", text(`{"pageCount":1000000000,"items":[{}]}`), TooLong, "no end", 0},
	} {
		web := httptest.NewServer(l.serve)
		for _, kind := range l.kinds {
			ctx, cancel := t.Context(), context.CancelFunc(func() {})
			if l.timeout > 0 {
				ctx, cancel = context.WithTimeout(ctx, l.timeout)
			}
			g := newGetter(dialTCP)
			u := "http://user:" + secret + "@" + strings.TrimPrefix(web.URL, "http://")
			var src source = &nginx{get: g, url: u + "/stat?key=" + secret, most: 1 << 20}
			switch kind {
			case 's':
				src = newSRS(g, u)
			case 'm':
				src = newMediaMTX(g, u)
			}
			_, err := src.read(ctx, 0)
			cancel()
			var f *Fault
			if !errors.As(err, &f) || f.Word != l.word || !strings.Contains(f.Text, l.within) || strings.Contains(err.Error(), secret) {
				t.Errorf("%s (%c): %v, want %s and %q", l.name, kind, err, l.word, l.within)
			}
		}
		web.Close()
	}
}

func TestNobodyThere(t *testing.T) {
	addr := proctest.Addr(t)
	_, err := (&nginx{get: newGetter(dialTCP), url: "http://" + addr + "/stat", most: 1 << 20}).read(t.Context(), 0)
	if err == nil || err.Error() != addr+"/stat: connection refused, nothing listens there" {
		t.Error(err)
	}
}

func TestPossible(t *testing.T) {
	for _, bad := range []place.Load{{EgressBPS: -1}, {IngressBPS: 2e13}, {Sessions: -1}, {Publishers: maxCount + 1}, {CPU: -0.1}} {
		if possible(&bad) == nil {
			t.Errorf("%+v is believed", bad)
		}
	}
	l := place.Load{EgressBPS: 1e9, CPU: 1.7, Sessions: 10}
	if err := possible(&l); err != nil || l.CPU != 1 {
		t.Errorf("%+v %v", l, err)
	}
}
