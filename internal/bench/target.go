package bench

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Target is one stream at one address.
type Target struct {
	Scheme string // rtmp, rtmps, http, https or tcp
	Host   string // HOST:PORT
	App    string
	Name   string // may hold {} for the stream's number
	Ext    string // of an HTTP URL's path, which is not part of the stream's name: .flv, or ""
	Query  string // with its question mark, or ""
}

var defaultPorts = map[string]string{"rtmp": "1935", "rtmps": "443", "http": "80", "https": "443", "tcp": ""}

// ParseTarget reads SCHEME://HOST[:PORT]/APP/NAME[?QUERY]; the app is the path's first
// segment.
func ParseTarget(s string) (Target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Target{}, err
	}
	port, known := defaultPorts[u.Scheme]
	app, name, ok := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	switch {
	case !known:
		return Target{}, fmt.Errorf("%q: the scheme is not rtmp, rtmps, http, https or tcp", s)
	case u.Hostname() == "" || !ok || app == "" || name == "":
		return Target{}, fmt.Errorf("%q: want %s://HOST[:PORT]/APP/NAME", s, u.Scheme)
	case u.Port() == "" && port == "":
		return Target{}, fmt.Errorf("%q: tcp has no standard port", s)
	}
	t := Target{Scheme: u.Scheme, Host: u.Host, App: app, Name: name}
	if u.Port() == "" {
		t.Host = net.JoinHostPort(u.Hostname(), port)
	}
	if t.http() {
		if bare, ok := strings.CutSuffix(t.Name, ".flv"); ok {
			t.Name, t.Ext = bare, ".flv"
		}
	}
	if u.RawQuery != "" {
		t.Query = "?" + u.RawQuery
	}
	return t, nil
}

// Stream returns the target of stream i of n: its number stands for {}, or behind a
// dash at the name's end if there are several and no {}.
func (t Target) Stream(i, n int) Target {
	number := strconv.Itoa(i)
	switch {
	case strings.Contains(t.Name+t.Query, "{}"):
		t.Name = strings.ReplaceAll(t.Name, "{}", number)
		t.Query = strings.ReplaceAll(t.Query, "{}", number)
	case n > 1:
		t.Name += "-" + number
	}
	return t
}

// http reports whether the stream comes as HTTP-FLV.
func (t Target) http() bool { return t.Scheme == "http" || t.Scheme == "https" }

// secure reports whether TLS comes first.
func (t Target) secure() bool { return t.Scheme == "rtmps" || t.Scheme == "https" }

// acks reports whether viewers acknowledge what they get.
func (t Target) acks() bool { return t.Scheme == "rtmp" || t.Scheme == "rtmps" }

// Key returns "app/name", by which stamps name the stream.
func (t Target) Key() string { return t.App + "/" + t.Name }

func (t Target) String() string { return t.Scheme + "://" + t.Host + "/" + t.Key() + t.Ext }

// tcURL is the connect command's idea of the address.
func (t Target) tcURL() string { return t.Scheme + "://" + t.Host + "/" + t.App }
