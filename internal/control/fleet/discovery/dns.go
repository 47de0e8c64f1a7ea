package discovery

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/internal/control/fleet"
)

// DNSOptions are a name's that resolves to servers.
type DNSOptions struct {
	Name     string
	Type     string // A, AAAA or SRV
	Port     int    // of A and AAAA
	HTTPPort int    // 0: they serve no HTTP
	Resolver string // HOST:PORT; "" is the system's
	Describe Describe
}

// DNS is the servers that a name resolves to, asked again when its time to live is over.
//
// Of A and AAAA each address is a server, named after it. Of SRV each target is one: the records' weights are
// relative to the heaviest of them, and only those of the first priority count, since a balancer has better
// reasons to pass a server over than a number written beforehand.
//
// A server that an answer does not name any more stays for a while as long as it lives; see holds.
type DNS struct {
	view
	d DNSOptions
	r resolver
	// last is what the targets of the last view resolved to.
	last  map[string][]string
	holds holds
}

// NewDNS returns the source; Run starts it.
func NewDNS(o Options, d DNSOptions) *DNS {
	source := "dns:" + d.Name
	if d.Type != "" && d.Type != "A" {
		source += ":" + d.Type // of one name there may be several
	}
	return &DNS{view: view{o: o, source: source}, d: d, r: resolver{server: d.Resolver}}
}

// Run resolves until ctx ends.
func (s *DNS) Run(ctx context.Context) {
	retry := retryFirst
	for {
		list, missing, ttl, err := s.look(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := min(max(ttl, leastTTL), mostTTL)
		if err == nil {
			s.taken(list, missing, time.Now())
			retry = retryFirst
		} else {
			s.bad(err)
			wait, retry = retry, min(2*retry, retryMost)
			wait = wait*3/4 + rand.N(wait/2) // so that not all fronts ask a name server that has come back at once
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// taken takes over what the name resolves to now.
func (s *DNS) taken(list []fleet.Backend, missing []error, now time.Time) {
	s.good(s.holds.hold(s.o.Backends, list, now), missing...)
}

// look resolves the name once. missing says which targets did not resolve.
func (s *DNS) look(ctx context.Context) (list []fleet.Backend, missing []error, ttl time.Duration, err error) {
	var found []Found
	if s.d.Type == "SRV" {
		found, missing, ttl, err = s.services(ctx)
	} else {
		var addrs []string
		addrs, ttl, err = s.r.addresses(ctx, s.d.Name, cmp.Or(s.d.Type, "A"))
		for _, a := range addrs {
			found = append(found, s.found("", a, s.d.Port, 1))
		}
	}
	if err != nil {
		return nil, nil, 0, err
	}
	list = make([]fleet.Backend, len(found))
	for i, f := range found {
		list[i] = s.d.Describe(f)
	}
	return list, missing, ttl, nil
}

// found is a server at an address.
func (s *DNS) found(name, addr string, port int, weight float64) Found {
	f := Found{Name: name, RTMP: net.JoinHostPort(addr, strconv.Itoa(port)), Weight: weight}
	if s.d.HTTPPort > 0 {
		f.HTTP = net.JoinHostPort(addr, strconv.Itoa(s.d.HTTPPort))
	}
	f.Name = cmp.Or(f.Name, f.RTMP)
	return f
}

// services resolves an SRV name and the targets in it. A target that does not resolve keeps what it
// resolved to before: one name that is broken must not hold up the others.
func (s *DNS) services(ctx context.Context) (found []Found, missing []error, ttl time.Duration, err error) {
	targets, ttl, err := s.r.services(ctx, s.d.Name)
	if err != nil {
		return nil, nil, 0, err
	}
	first := slices.MinFunc(targets, func(a, b target) int { return cmp.Compare(a.priority, b.priority) }).priority
	targets = slices.DeleteFunc(targets, func(t target) bool { return t.priority != first })
	heaviest := slices.MaxFunc(targets, func(a, b target) int { return cmp.Compare(a.weight, b.weight) }).weight
	now := make(map[string][]string, len(targets))
	for _, t := range targets {
		addrs, known := now[t.host]
		if !known {
			var until time.Duration
			if addrs, until, err = s.r.host(ctx, t.host); err == nil {
				ttl = min(ttl, until)
			} else {
				addrs = s.last[t.host]
				missing = append(missing, fmt.Errorf("%s does not resolve, %d addresses of it are known: %w", t.host, len(addrs), err))
			}
			now[t.host] = addrs
		}
		weight := 1.0
		if heaviest > 0 {
			weight = max(float64(t.weight)/float64(heaviest), leastWeight)
		}
		name := net.JoinHostPort(strings.TrimSuffix(t.host, "."), strconv.Itoa(int(t.port)))
		for _, a := range addrs {
			if len(addrs) > 1 {
				name = "" // each address is a server of its own
			}
			found = append(found, s.found(name, a, int(t.port), weight))
		}
	}
	if len(found) == 0 {
		return nil, nil, 0, fmt.Errorf("none of the %d targets of %s resolves: %w", len(targets), s.d.Name, err)
	}
	s.last = now
	return found, missing, ttl, nil
}

// leastWeight is what a weight of 0 becomes, which RFC 2782 means as "hardly any".
const leastWeight = 0.01

// sleep waits; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
