package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// resolver asks name servers itself, because the system's resolver does not tell for how long an
// answer is good.
type resolver struct {
	server string // HOST:PORT; "" is those of resolvConf
}

// resolvConf is where the system says which name servers to ask.
const resolvConf = "/etc/resolv.conf"

// target is one of an SRV answer.
type target struct {
	host             string
	port             uint16
	priority, weight uint16
}

// errNobody: the name is there, and nothing is at it.
var errNobody = errors.New("the answer names no server")

// addresses resolves a name to addresses of one type, sorted.
func (r *resolver) addresses(ctx context.Context, name, typ string) ([]string, time.Duration, error) {
	m, asked, err := r.ask(ctx, name, dns.StringToType[typ])
	if err != nil {
		return nil, 0, err
	}
	addrs, ttl := addressesIn(m, asked)
	if len(addrs) == 0 {
		return nil, 0, fmt.Errorf("%s %s: %w", name, typ, errNobody)
	}
	return addrs, ttl, nil
}

// host resolves a target: to its IPv4 addresses, or if it has none to those of IPv6.
func (r *resolver) host(ctx context.Context, name string) ([]string, time.Duration, error) {
	addrs, ttl, err := r.addresses(ctx, name, "A")
	if err != nil {
		if six, ttl6, err6 := r.addresses(ctx, name, "AAAA"); err6 == nil {
			return six, ttl6, nil
		}
	}
	return addrs, ttl, err
}

// services resolves an SRV name.
func (r *resolver) services(ctx context.Context, name string) ([]target, time.Duration, error) {
	m, asked, err := r.ask(ctx, name, dns.TypeSRV)
	if err != nil {
		return nil, 0, err
	}
	chain, ttl := aliases(m, asked)
	var out []target
	for _, rr := range m.Answer {
		if srv, ok := rr.(*dns.SRV); ok && chain[dns.CanonicalName(srv.Hdr.Name)] && srv.Target != "." && len(out) < maxTargets {
			out = append(out, target{dns.CanonicalName(srv.Target), srv.Port, srv.Priority, srv.Weight})
			ttl = min(ttl, seconds(srv.Hdr.Ttl))
		}
	}
	if len(out) == 0 {
		return nil, 0, fmt.Errorf("%s SRV: %w", name, errNobody)
	}
	return out, ttl, nil
}

// addressesIn takes the addresses of a name out of an answer, and how long they are good.
func addressesIn(m *dns.Msg, asked string) ([]string, time.Duration) {
	chain, ttl := aliases(m, asked)
	var out []string
	for _, rr := range m.Answer {
		if !chain[dns.CanonicalName(rr.Header().Name)] || len(out) >= maxTargets {
			continue
		}
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if len(ip) == 0 {
			continue
		}
		ttl = min(ttl, seconds(rr.Header().Ttl))
		out = append(out, ip.String())
	}
	slices.Sort(out)
	return slices.Compact(out), ttl
}

// aliases are the name that was asked for and what it is an alias of: records of other names
// are no answer, whoever sends them.
func aliases(m *dns.Msg, asked string) (map[string]bool, time.Duration) {
	chain, ttl := map[string]bool{dns.CanonicalName(asked): true}, mostTTL
	for more := true; more; {
		more = false
		for _, rr := range m.Answer {
			c, ok := rr.(*dns.CNAME)
			if !ok || !chain[dns.CanonicalName(c.Hdr.Name)] || chain[dns.CanonicalName(c.Target)] {
				continue
			}
			chain[dns.CanonicalName(c.Target)], more = true, true
			ttl = min(ttl, seconds(c.Hdr.Ttl))
		}
	}
	return chain, ttl
}

func seconds(ttl uint32) time.Duration { return time.Duration(min(ttl, 1<<24)) * time.Second }

// ask asks the name servers in turn until one answers; the answer's question is asked.
func (r *resolver) ask(ctx context.Context, name string, typ uint16) (m *dns.Msg, asked string, err error) {
	servers, names, err := r.config(name)
	if err != nil {
		return nil, "", err
	}
	for _, n := range names {
		for _, server := range servers {
			m, e := exchange(ctx, server, n, typ)
			if e == nil {
				return m, n, nil
			}
			if ctx.Err() != nil {
				return nil, "", ctx.Err()
			}
			err = e
			var no *rcodeError
			if errors.As(e, &no) && no.code == dns.RcodeNameError {
				break // that name is not there; the next may be
			}
		}
	}
	return nil, "", err
}

// config are the servers to ask and the full names to ask for.
func (r *resolver) config(name string) (servers, names []string, err error) {
	if r.server != "" {
		return []string{r.server}, []string{dns.Fqdn(name)}, nil
	}
	c, err := dns.ClientConfigFromFile(resolvConf)
	if err != nil {
		return nil, nil, fmt.Errorf("which name servers there are: %w", err)
	}
	for _, s := range c.Servers {
		servers = append(servers, net.JoinHostPort(s, c.Port))
	}
	if len(servers) == 0 {
		return nil, nil, fmt.Errorf("%s names no name server", resolvConf)
	}
	return servers, c.NameList(name), nil
}

// rcodeError is a name server's no.
type rcodeError struct {
	name, server string
	code         int
}

func (e *rcodeError) Error() string {
	if e.code == dns.RcodeNameError {
		return fmt.Sprintf("there is no name %s, says %s", strings.TrimSuffix(e.name, "."), e.server)
	}
	return fmt.Sprintf("%s answers %s for %s", e.server, dns.RcodeToString[e.code], strings.TrimSuffix(e.name, "."))
}

// exchange asks one server one question, by TCP if the answer does not fit into a datagram.
func exchange(ctx context.Context, server, name string, typ uint16) (*dns.Msg, error) {
	q := new(dns.Msg)
	q.SetQuestion(name, typ)
	q.SetEdns0(udpSize, false)
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network, Timeout: queryTimeout, UDPSize: udpSize}
		m, _, err := c.ExchangeContext(ctx, q, server)
		switch {
		case err != nil:
			return nil, fmt.Errorf("asking %s: %w", server, err)
		case len(m.Question) != 1 || m.Question[0].Qtype != typ || dns.CanonicalName(m.Question[0].Name) != dns.CanonicalName(name):
			return nil, fmt.Errorf("%s answers another question", server)
		case m.Truncated && network == "udp":
			continue
		case m.Rcode != dns.RcodeSuccess:
			return nil, &rcodeError{name, server, m.Rcode}
		}
		return m, nil
	}
	return nil, fmt.Errorf("%s cuts its answer short by TCP too", server)
}
