package discovery

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// beat is one call of a server, with what is in it checked.
type beat struct {
	server, service, pid string
	rtmp, http, api      string // host:port; rtmp always, the others "" if not said
	summaries            *summaries
}

// identity is who calls: a server that was started anew has another pid and is another.
func (b *beat) identity() string { return b.server + "-" + b.service + "-" + b.pid }

// summaries are the parts of SRS's /api/v1/summaries that are load. All counters are since its start.
type summaries struct {
	OK     *bool `json:"ok"`
	System struct {
		CPU         float64 `json:"cpu_percent"`     // share of all cores
		NetTime     float64 `json:"net_sample_time"` // ms
		NetReceived float64 `json:"net_recv_bytes"`
		NetSent     float64 `json:"net_send_bytes"`
		SRSTime     float64 `json:"srs_sample_time"`
		SRSReceived float64 `json:"srs_recv_bytes"`
		SRSSent     float64 `json:"srs_send_bytes"`
		Sessions    float64 `json:"conn_srs"`
	} `json:"system"`
}

// parseBeat reads a call's body. Unknown members are passed over.
func parseBeat(body []byte) (beat, error) {
	var in struct {
		IP        text            `json:"ip"`
		Server    text            `json:"server"`
		Service   text            `json:"service"`
		PID       text            `json:"pid"`
		RTMP      endpoints       `json:"rtmp"`
		HTTP      endpoints       `json:"http"`
		API       endpoints       `json:"api"`
		Summaries json.RawMessage `json:"summaries"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return beat{}, fmt.Errorf("the body is no registration: %w", err)
	}
	b := beat{server: string(in.Server), service: string(in.Service), pid: string(in.PID)}
	for what, s := range map[string]string{"server": b.server, "service": b.service, "pid": b.pid} {
		if err := word(what, s); err != nil {
			return beat{}, err
		}
	}
	ip, err := netip.ParseAddr(string(in.IP))
	if err != nil || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
		return beat{}, fmt.Errorf("ip is %s, not an address", quote(string(in.IP)))
	}
	if len(in.RTMP) == 0 {
		return beat{}, fmt.Errorf("rtmp is missing")
	}
	if b.rtmp, err = endpoint(in.RTMP[0], ip.Unmap()); err != nil {
		return beat{}, fmt.Errorf("rtmp: %w", err)
	}
	// The rest is good to have; a server is not refused for it.
	if len(in.HTTP) > 0 {
		b.http, _ = endpoint(in.HTTP[0], ip.Unmap())
	}
	if len(in.API) > 0 {
		b.api, _ = endpoint(in.API[0], ip.Unmap())
	}
	b.summaries = parseSummaries(in.Summaries)
	return b, nil
}

// parseSummaries reads what SRS says of its load: the answer of /api/v1/summaries, whole or only its data;
// nil if it is nothing of the kind.
func parseSummaries(raw json.RawMessage) *summaries {
	if len(raw) == 0 {
		return nil
	}
	var whole struct{ Data json.RawMessage }
	if json.Unmarshal(raw, &whole) == nil && len(whole.Data) > 0 {
		raw = whole.Data
	}
	var s summaries
	if json.Unmarshal(raw, &s) != nil || s.OK != nil && !*s.OK || s.OK == nil && s.System.NetTime == 0 && s.System.SRSTime == 0 {
		return nil
	}
	return &s
}

// endpoint reads "1935", ":1935", "tcp://:1935", "tcp://10.0.0.1:1935". Without an address of its own, or with one that
// others cannot use, the server's ip is meant.
func endpoint(s string, ip netip.Addr) (string, error) {
	rest := s
	if scheme, after, ok := strings.Cut(s, "://"); ok {
		if scheme != "tcp" && scheme != "tcp4" && scheme != "tcp6" && scheme != "http" && scheme != "rtmp" {
			return "", fmt.Errorf("%s is not reached by TCP", quote(s))
		}
		rest = after
	}
	host, port := "", rest
	if strings.Contains(rest, ":") {
		var err error
		if host, port, err = net.SplitHostPort(rest); err != nil {
			return "", fmt.Errorf("%s is no endpoint", quote(s))
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%s has no port", quote(s))
	}
	if own, err := netip.ParseAddr(host); err == nil && !own.IsUnspecified() && !own.IsLoopback() && !own.IsMulticast() && own.Zone() == "" {
		ip = own.Unmap()
	}
	return netip.AddrPortFrom(ip, uint16(n)).String(), nil
}

// word checks a part of an identity, which becomes a name, a label and a path.
func word(what, s string) error {
	if s == "" {
		return fmt.Errorf("%s is missing", what)
	}
	if len(s) > maxIdentity {
		return fmt.Errorf("%s is longer than %d bytes", what, maxIdentity)
	}
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			continue
		}
		return fmt.Errorf("%s holds %q", what, r)
	}
	return nil
}

// quote bounds a stranger's text in a message.
func quote(s string) string {
	if len(s) > maxIdentity {
		s = s[:maxIdentity]
	}
	return strconv.Quote(s)
}

// text is a string; numbers do too.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*t = text(n)
	return nil
}

// endpoints is a list of them; one alone does too.
type endpoints []string

// UnmarshalJSON implements json.Unmarshaler.
func (e *endpoints) UnmarshalJSON(b []byte) error {
	var many []text
	if json.Unmarshal(b, &many) != nil {
		var one text
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		many = []text{one}
	}
	*e = nil
	for _, s := range many {
		if s != "" {
			*e = append(*e, string(s))
		}
	}
	return nil
}
