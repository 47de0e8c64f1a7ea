package web

import (
	"net/url"
	"strings"
)

// sessionKey is the parameter in a session's URL that names the server which has it. It is in the
// URL, because WHIP clients keep no cookies, another front may be asked next, and this one may
// have been restarted.
const sessionKey = "weir-server"

// cutSession takes the server's name out of a query; the rest stays as it was.
func cutSession(query string) (rest, server string) {
	if !strings.Contains(query, sessionKey+"=") {
		return query, ""
	}
	var keep []string
	for pair := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(pair, sessionKey+"="); ok {
			server, _ = url.QueryUnescape(value)
		} else {
			keep = append(keep, pair)
		}
	}
	return strings.Join(keep, "&"), server
}

// sessionURL is where a client finds the session that it has begun: what the server calls it, and
// which server that is. One with the server's own address, which a client cannot reach, is made
// relative.
func sessionURL(location string, s Server) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	if u.Host == s.Addr {
		u.Scheme, u.Host, u.User = "", "", nil
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += sessionKey + "=" + url.QueryEscape(s.Name)
	return u.String()
}
