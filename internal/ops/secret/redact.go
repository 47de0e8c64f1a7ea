package secret

import "strings"

// plain are the query parameters whose values are shown. Everything else is
// masked: a list of secret names would have to foresee what every hook calls its
// token.
var plain = map[string]bool{
	"vhost": true, "start": true, "duration": true, "reset": true, "type": true, "format": true,
	"app": true, "action": true, "start_time": true, "end_time": true,
}

// Query returns the raw query q ("a=b&c=d", without the question mark) with
// the values masked, except those of a few parameters that are known to be
// harmless. It does not decode: what cannot be parsed is masked whole.
func Query(q string) string {
	if q == "" {
		return ""
	}
	var b strings.Builder
	for i, pair := range strings.FieldsFunc(q, func(r rune) bool { return r == '&' || r == ';' }) {
		if i > 0 {
			b.WriteByte('&')
		}
		name, value, found := strings.Cut(pair, "=")
		switch {
		case !found: // "?s3cret": a bare word is a token as likely as a flag
			b.WriteString(Mask)
		case value == "" || plain[name]:
			b.WriteString(pair)
		default:
			b.WriteString(name)
			b.WriteByte('=')
			b.WriteString(Mask)
		}
	}
	return b.String()
}

// URL returns s, any text with an optional query behind a question mark and
// optional user information ("rtmp://user:pass@host/app/name?token=x", but
// also "app?token=x"), with the query's values and the user information
// masked. Text that is not a URL comes out the same way: RTMP clients put
// queries into application and stream names.
func URL(s string) string {
	head, query, found := strings.Cut(s, "?")
	if i := strings.Index(head, "://"); i >= 0 {
		authority, path, slash := strings.Cut(head[i+3:], "/")
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			authority = Mask + authority[at:]
		}
		head = head[:i+3] + authority
		if slash {
			head += "/" + path
		}
	}
	if !found {
		return head
	}
	// A second question mark belongs to the query; so does a fragment.
	return head + "?" + Query(query)
}
