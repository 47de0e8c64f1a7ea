package discovery

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"weir/internal/ops/event"
)

// nameServer is a real one on the loopback, whose answers tests change.
type nameServer struct {
	addr string

	mu      sync.Mutex
	records map[string][]string // by "NAME TYPE"
	lie     func(w dns.ResponseWriter, q *dns.Msg) bool
	asked   int
	tcp     int
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	s := &nameServer{records: map[string][]string{}}
	var pc net.PacketConn
	var l net.Listener
	for range 20 { // a port that is free for UDP may be in use for TCP
		var err error
		if pc, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		s.addr = pc.LocalAddr().String()
		if l, err = net.Listen("tcp", s.addr); err == nil {
			break
		}
		pc.Close()
	}
	if l == nil {
		t.Fatal("no port is free for both")
	}
	for _, server := range []*dns.Server{{PacketConn: pc, Handler: s}, {Listener: l, Handler: s}} {
		up := make(chan struct{})
		server.NotifyStartedFunc = func() { close(up) }
		done := make(chan struct{})
		go func() { defer close(done); server.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { server.Shutdown(); <-done })
	}
	return s
}

// set replaces the records of a name: "10 A 10.0.0.1" is TTL, type, data.
func (s *nameServer) set(name, typ string, rrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[dns.Fqdn(name)+" "+typ] = rrs
}

func (s *nameServer) lies(f func(w dns.ResponseWriter, q *dns.Msg) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lie = f
}

func (s *nameServer) questions() (all, tcp int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.tcp
}

func (s *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	_, tcp := w.RemoteAddr().(*net.TCPAddr)
	if tcp {
		s.tcp++
	}
	if s.lie != nil && s.lie(w, q) {
		return
	}
	m := new(dns.Msg)
	m.SetReply(q)
	rrs, ok := s.records[q.Question[0].Name+" "+dns.TypeToString[q.Question[0].Qtype]]
	if !ok {
		m.Rcode = dns.RcodeNameError
	}
	for _, text := range rrs {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	if !tcp {
		m.Truncate(512)
	}
	w.WriteMsg(m)
}

func TestAddressesAreFollowedByTheirTTL(t *testing.T) {
	o, h := world()
	s := newNameServer(t)
	s.set("media.test", "A", "media.test. 1 IN A 10.0.0.2", "media.test. 300 IN A 10.0.0.1", "other.test. 1 IN A 10.6.6.6")
	run(t, NewDNS(o, DNSOptions{Name: "media.test", Type: "A", Port: 1935, HTTPPort: 8080, Resolver: s.addr, Describe: plainly}).Run)
	known(t, o.Backends, "10.0.0.1:1935 10.0.0.2:1935")
	if b, _ := o.Backends.Get("10.0.0.1:1935"); b.HTTP != "10.0.0.1:8080" || b.Source != "dns:media.test" {
		t.Errorf("%+v", b)
	}
	s.set("media.test", "A", "media.test. 1 IN CNAME real.test.", "real.test. 1 IN A 10.0.0.3")
	known(t, o.Backends, "10.0.0.3:1935")
	if f := h.failures(); len(f) > 0 {
		t.Errorf("it failed: %q", f)
	}
}

func TestServicesHaveWeightsAndTheFirstPriority(t *testing.T) {
	o, h := world()
	s := newNameServer(t)
	s.set("_rtmp._tcp.test", "SRV", "_rtmp._tcp.test. 1 IN SRV 10 60 1935 a.test.", "_rtmp._tcp.test. 1 IN SRV 10 30 1936 b.test.",
		"_rtmp._tcp.test. 1 IN SRV 20 90 1935 spare.test.", "_rtmp._tcp.test. 1 IN SRV 10 60 1935 gone.test.")
	s.set("a.test", "A", "a.test. 1 IN A 10.0.0.1")
	s.set("b.test", "AAAA", "b.test. 1 IN AAAA fd00::1", "b.test. 1 IN AAAA fd00::2")
	d := NewDNS(o, DNSOptions{Name: "_rtmp._tcp.test", Type: "SRV", Resolver: s.addr, Describe: plainly})
	run(t, d.Run)
	known(t, o.Backends, "[fd00::1]:1936 [fd00::2]:1936 a.test:1935")
	for name, weight := range map[string]float64{"a.test:1935": 1, "[fd00::1]:1936": 0.5} {
		if b, _ := o.Backends.Get(name); b.Weight != weight {
			t.Errorf("%s weighs %v", name, b.Weight)
		}
	}
	if b, _ := o.Backends.Get("a.test:1935"); b.RTMP != "10.0.0.1:1935" {
		t.Errorf("a is at %s", b.RTMP)
	}
	// A target that does not resolve any more keeps its address; the rest goes on.
	s.mu.Lock()
	delete(s.records, "a.test. A")
	s.mu.Unlock()
	s.set("b.test", "A", "b.test. 1 IN A 10.0.0.9")
	known(t, o.Backends, "a.test:1935 b.test:1936")
	for count, host := range []string{"gone.test.", ""} { // then a.test. too
		until(t, "what does not resolve is told", func() bool {
			return h.has(func(e event.Event) bool {
				r, ok := e.(event.BackendsRefused)
				return ok && r.Count == count+1 && strings.Contains(r.Err.Error(), host+" does not resolve")
			})
		})
	}
}

// Whatever a name server answers, the view before stays.
func TestTheLastGoodAnswerStays(t *testing.T) {
	for _, tc := range []struct {
		name string
		lie  func(w dns.ResponseWriter, q *dns.Msg) bool
		want string // in what is said
	}{
		{"no such name", func(w dns.ResponseWriter, q *dns.Msg) bool { return reply(w, q, dns.RcodeNameError) }, "there is no name media.test"},
		{"server failure", func(w dns.ResponseWriter, q *dns.Msg) bool { return reply(w, q, dns.RcodeServerFailure) }, "SERVFAIL"},
		{"refused", func(w dns.ResponseWriter, q *dns.Msg) bool { return reply(w, q, dns.RcodeRefused) }, "REFUSED"},
		{"nobody", func(w dns.ResponseWriter, q *dns.Msg) bool { return reply(w, q, dns.RcodeSuccess) }, "names no server"},
		{"another's addresses", func(w dns.ResponseWriter, q *dns.Msg) bool {
			return reply(w, q, dns.RcodeSuccess, "evil.test. 1 IN A 10.6.6.6")
		}, "names no server"},
		{"another type", func(w dns.ResponseWriter, q *dns.Msg) bool {
			return reply(w, q, dns.RcodeSuccess, "media.test. 1 IN TXT \"10.6.6.6\"")
		}, "names no server"},
		{"aliases in a circle", func(w dns.ResponseWriter, q *dns.Msg) bool {
			return reply(w, q, dns.RcodeSuccess, "media.test. 1 IN CNAME b.test.", "b.test. 1 IN CNAME media.test.")
		}, "names no server"},
		{"another question", func(w dns.ResponseWriter, q *dns.Msg) bool {
			q.Question[0].Name = "evil.test."
			return reply(w, q, dns.RcodeSuccess, "evil.test. 1 IN A 10.6.6.6")
		}, "another question"},
		{"garbage", func(w dns.ResponseWriter, q *dns.Msg) bool {
			w.Write(append([]byte{byte(q.Id >> 8), byte(q.Id)}, "garbage garbage garbage"...))
			return true
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel() // each waits for times to live
			o, h := world()
			s := newNameServer(t)
			s.set("media.test", "A", "media.test. 0 IN A 10.0.0.1")
			d := NewDNS(o, DNSOptions{Name: "media.test", Resolver: s.addr, Port: 1935, Describe: plainly})
			run(t, d.Run)
			known(t, o.Backends, "10.0.0.1:1935")
			s.lies(tc.lie)
			until(t, "it says so", func() bool { return len(h.failures()) > 0 })
			if f := h.failures(); !strings.Contains(f[0], tc.want) {
				t.Errorf("it says %q", f)
			}
			if names(o.Backends) != "10.0.0.1:1935" || d.Stats().Servers != 1 {
				t.Errorf("the backends are %s, %+v", names(o.Backends), d.Stats())
			}
			s.lies(nil)
			s.set("media.test", "A", "media.test. 1 IN A 10.0.0.2")
			known(t, o.Backends, "10.0.0.2:1935")
			until(t, "it says that it works again", func() bool { return h.has(again) })
		})
	}
}

func reply(w dns.ResponseWriter, q *dns.Msg, code int, rrs ...string) bool {
	m := new(dns.Msg)
	m.SetRcode(q, code)
	for _, text := range rrs {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	w.WriteMsg(m)
	return true
}

func TestLongAnswersComeByTCP(t *testing.T) {
	s := newNameServer(t)
	var rrs []string
	for i := range 200 {
		rrs = append(rrs, fmt.Sprintf("media.test. 60 IN A 10.0.1.%d", i))
	}
	s.set("media.test", "A", rrs...)
	r := resolver{server: s.addr}
	addrs, _, err := r.addresses(t.Context(), "media.test", "A")
	if _, tcp := s.questions(); err != nil || len(addrs) != 200 || tcp != 1 {
		t.Errorf("%d addresses, %d questions by TCP, %v", len(addrs), tcp, err)
	}
	if _, _, err := r.addresses(t.Context(), "none.test", "A"); err == nil {
		t.Error("resolved a name that is not there")
	} else if no, ok := errors.AsType[*rcodeError](err); !ok || no.code != dns.RcodeNameError {
		t.Errorf("%v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	m := new(dns.Msg)
	m.SetQuestion("media.test.", dns.TypeA)
	for _, text := range []string{"media.test. 1 IN CNAME b.test.", "b.test. 1 IN A 10.0.0.1", "b.test. 1 IN AAAA fd00::1"} {
		rr, _ := dns.NewRR(text)
		m.Answer = append(m.Answer, rr)
	}
	wire, _ := m.Pack()
	f.Add(wire)
	f.Fuzz(func(t *testing.T, wire []byte) {
		m := new(dns.Msg)
		if m.Unpack(wire) != nil {
			return
		}
		addrs, ttl := addressesIn(m, "media.test.")
		if ttl < 0 || ttl > mostTTL || len(addrs) > maxTargets {
			t.Errorf("%d addresses for %v", len(addrs), ttl)
		}
		for _, a := range addrs {
			if net.ParseIP(a) == nil {
				t.Errorf("%q is no address", a)
			}
		}
	})
}
