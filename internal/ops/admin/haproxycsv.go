package admin

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Frontend is one of this node's listeners, for the statistics in HAProxy's form.
type Frontend struct {
	Name     string // rtmp, http
	Sessions int
	Total    int64 // since the start: connections of rtmp, requests of http
	In, Out  int64 // bytes from and to clients
}

// haproxyCSV answers /haproxy;csv as HAProxy's own statistics page does, so that dashboards made for it read
// Weir: each listener as a frontend; the nodes of the cluster, and the servers that are no nodes, as servers of
// the proxies "nodes" and "backends", each with its BACKEND line. What Weir does not have is empty.
func (h handler) haproxyCSV(w http.ResponseWriter, r *http.Request) {
	nodes, err := h.allNodes(r)
	var backends []Backend
	if err == nil {
		backends, err = h.allBackends(r.Context())
	}
	if err != nil {
		unavailable(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8") // as HAProxy has it
	t := &csvTable{now: time.Now()}
	t.head()
	for _, f := range h.frontends() {
		t.frontend(&f)
	}
	t.proxy("nodes", nodeRows(nodes))
	t.proxy("backends", t.backendRows(backends))
	_, _ = io.WriteString(w, t.out.String()) // the client is gone: nobody is left to tell
}

func (h handler) frontends() []Frontend {
	if h.Frontends == nil {
		return nil
	}
	return h.Frontends()
}

// csvRow is a line, by column.
type csvRow map[string]any

type csvTable struct {
	out strings.Builder
	now time.Time
	iid int
}

func (t *csvTable) head() {
	t.out.WriteString("# " + strings.Join(haproxyColumns[:], ",") + ",\n")
}

func (t *csvTable) line(r csvRow) {
	for _, c := range haproxyColumns {
		if c == "-" {
			t.out.WriteByte('-')
		} else if v, ok := r[c]; ok {
			t.out.WriteString(csvField(v))
		}
		t.out.WriteByte(',')
	}
	t.out.WriteByte('\n')
}

// csvField is a value as HAProxy writes it: quoted only where it must be.
func csvField(v any) string {
	s := fmt.Sprint(v)
	if strings.ContainsAny(s, ",\"\r\n") {
		s = `"` + strings.NewReplacer(`"`, `""`, "\r", " ", "\n", " ").Replace(s) + `"`
	}
	return s
}

func (t *csvTable) frontend(f *Frontend) {
	t.iid++
	t.line(csvRow{"pxname": f.Name, "svname": "FRONTEND", "scur": f.Sessions, "stot": f.Total, "bin": f.In, "bout": f.Out, "status": "OPEN",
		"pid": 1, "iid": t.iid, "sid": 0, "type": haproxyFrontend, "mode": mode(f.Name)})
}

func mode(listener string) string {
	if listener == "http" {
		return "http"
	}
	return "tcp"
}

// proxy writes the servers of a proxy and their sum.
func (t *csvTable) proxy(name string, servers []csvRow) {
	t.iid++
	sum := csvRow{"pxname": name, "svname": "BACKEND", "pid": 1, "iid": t.iid, "sid": 0, "type": haproxyBackend, "mode": "tcp"}
	var scur, stot, in, out, weight, act int64
	for i, r := range servers {
		r["pxname"], r["pid"], r["iid"], r["sid"], r["type"], r["mode"] = name, 1, t.iid, i+1, haproxyServer, "tcp"
		t.line(r)
		scur, stot = scur+number(r["scur"]), stot+number(r["stot"])
		in, out = in+number(r["bin"]), out+number(r["bout"])
		if r["status"] == "UP" || r["status"] == "no check" {
			act++
			weight += number(r["weight"])
		}
	}
	sum["scur"], sum["stot"], sum["bin"], sum["bout"], sum["weight"], sum["act"], sum["bck"] = scur, stot, in, out, weight, act, 0
	sum["status"] = "UP"
	if act == 0 {
		sum["status"] = "DOWN"
	}
	t.line(sum)
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}

func nodeRows(nodes []Node) []csvRow {
	var rows []csvRow
	for _, n := range nodes {
		r := csvRow{"svname": n.Name, "scur": int64(n.Load.Sessions), "status": "UP", "weight": int64(1), "act": 1, "bck": 0, "addr": n.Addresses.RTMP}
		if n.Capacity.Sessions > 0 {
			r["slim"] = n.Capacity.Sessions
		}
		switch n.State {
		case "draining", "drained":
			r["status"] = "DRAIN"
		case "up":
		default:
			r["status"] = "DOWN"
		}
		rows = append(rows, r)
	}
	return rows
}

// haproxyWeight: HAProxy's weights are whole numbers.
func haproxyWeight(w float64) int64 { return int64(math.Max(1, math.Round(w))) }

func (t *csvTable) backendRows(list []Backend) []csvRow {
	var rows []csvRow
	for _, b := range list {
		s := &b.Sessions
		r := csvRow{
			"svname": b.Name, "scur": s.Publishers + s.Viewers, "smax": s.Most, "stot": s.Total, "lbtot": s.Total, "bin": s.Received, "bout": s.Sent,
			"econ": s.Failures, "wredis": s.Moved, "status": haproxyStatus(&b), "weight": haproxyWeight(b.Weight), "uweight": haproxyWeight(b.Weight),
			"act": 1, "bck": 0, "addr": cmp.Or(b.Addresses.RTMP, b.Addresses.HTTP),
			"check_status": b.Health.Status, "last_chk": b.Health.Reason, "check_rise": b.Health.Rise, "check_fall": b.Health.Fall,
		}
		if b.Capacity.Sessions > 0 {
			r["slim"] = b.Capacity.Sessions
		}
		if b.Health.Status != "" {
			r["check_duration"] = int64(b.Health.Took * 1000)
		}
		if b.Health.Code != 0 {
			r["check_code"] = b.Health.Code
		}
		if !b.Health.Since.IsZero() {
			r["lastchg"] = int64(t.now.Sub(b.Health.Since).Seconds())
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b csvRow) int { return cmp.Compare(a["svname"].(string), b["svname"].(string)) })
	return rows
}

func haproxyStatus(b *Backend) string {
	switch b.State {
	case "maint":
		return "MAINT"
	case "down":
		return "DOWN"
	case "drain":
		return "DRAIN"
	}
	if b.Health.State == "unknown" {
		return "no check"
	}
	return "UP"
}
