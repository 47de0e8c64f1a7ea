package web

import (
	"net/http"
	"slices"
	"strings"

	"weir/internal/stream"
)

// publishRule is a form of request that brings a stream: "whip" is any path with that
// segment, "/rtc/v1/publish" what is below that path; after a method, as in "GET /app/push",
// that method only, else all that can publish.
type publishRule struct {
	method string
	rooted bool
	segs   []string
}

type publishRules []publishRule

func newPublishRules(texts []string) publishRules {
	var rules publishRules
	for _, text := range texts {
		method, path, ok := strings.Cut(text, " ")
		if !ok {
			method, path = "", text
		}
		if segs := segments(path); len(segs) > 0 {
			rules = append(rules, publishRule{method, strings.HasPrefix(path, "/"), segs})
		}
	}
	return rules
}

func segments(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
}

// match says whether a request brings a stream, and which, if its URL tells: RFC 9725 leaves
// that to servers.
//
//	/APP/NAME/whip       MediaMTX; the session is below it
//	/APP/whip/NAME       Ant Media; likewise
//	/…?app=APP&stream=NAME   SRS
func (rules publishRules) match(r *http.Request) (name stream.Name, ok bool) {
	segs := segments(r.URL.Path)
	for _, rule := range rules {
		before, after, found := rule.cut(segs)
		if !found || !rule.takes(r.Method) {
			continue
		}
		if q := r.URL.Query(); q.Has("app") && q.Has("stream") {
			name, _ = stream.NewName(q.Get("app"), q.Get("stream"))
			return name, true
		}
		where := before
		switch {
		case rule.rooted:
			where = after
		case len(before) == 1 && len(after) > 0:
			where = []string{before[0], after[0]}
		}
		if n := len(where); n >= 2 {
			name, _ = stream.NewName(strings.Join(where[:n-1], "/"), where[n-1])
		}
		return name, true
	}
	return stream.Name{}, false
}

// takes reports whether a request by this method can publish. OPTIONS is what a browser asks
// before it does; GET and HEAD are pages.
func (p *publishRule) takes(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead:
		return method == p.method
	}
	return p.method == "" || p.method == method
}

// cut finds the rule's segments in a path.
func (p *publishRule) cut(segs []string) (before, after []string, ok bool) {
	at := 0
	if !p.rooted {
		at = slices.Index(segs, p.segs[0])
	}
	if at < 0 || len(segs) < at+len(p.segs) || !slices.Equal(segs[at:at+len(p.segs)], p.segs) {
		return nil, nil, false
	}
	return segs[:at], segs[at+len(p.segs):], true
}
