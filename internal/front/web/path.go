package web

import (
	"maps"
	"slices"
	"strings"

	"weir/internal/stream"
)

// mediaTypes are the endings of what is part of a stream.
var mediaTypes = map[string]bool{
	"flv": true, "m3u8": true, "ts": true, "m4s": true, "mpd": true, "mp4": true, "aac": true, "m4a": true, "m4v": true, "vtt": true,
}

// badPath reports a path that no player asks for, and that servers are known to
// read differently from each other.
func badPath(path string) bool {
	if path == "" || path[0] != '/' || strings.ContainsAny(path, "\\\x00") {
		return true
	}
	for seg := range strings.SplitSeq(path, "/") {
		if seg == "." || seg == ".." {
			return true
		}
	}
	return strings.ContainsFunc(path, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// prefixes are what stands in paths for an application, longest first.
type prefixes []struct{ path, app string }

func newPrefixes(m map[string]string) prefixes {
	var p prefixes
	for _, path := range slices.SortedFunc(maps.Keys(m), func(a, b string) int { return len(b) - len(a) }) {
		p = append(p, struct{ path, app string }{strings.Trim(path, "/"), m[path]})
	}
	return p
}

// names are the streams that a path may be of, the likeliest first:
//
//	/APP/NAME.flv                 HTTP-FLV: that alone
//	/APP/NAME.m3u8                HLS of nginx-rtmp, SRS
//	/APP/NAME-12.ts, NAME12.ts    its segments
//	/APP/NAME_low.m3u8, NAME_adaptive.m3u8, NAME_480p…   its renditions
//	/APP/NAME/index.m3u8, /APP/NAME/…                    nested HLS, MediaMTX, WHEP, …
//
// media reports an ending of media.
func (p prefixes) names(path string) (names []stream.Name, media bool) {
	path = strings.Trim(path, "/")
	segs := strings.Split(path, "/")
	if len(segs) < 2 || len(segs) > maxSegments {
		return nil, false
	}
	last := segs[len(segs)-1]
	base, ext := last, ""
	if i := strings.LastIndexByte(last, '.'); i > 0 && mediaTypes[strings.ToLower(last[i+1:])] {
		base, ext = last[:i], strings.ToLower(last[i+1:])
	}
	exact := ext == "flv"
	add := func(app, dir, base string) {
		if app == "" || base == "" || len(names) >= maxNames {
			return
		}
		if dir != "" {
			base = dir + "/" + base
		}
		if n, err := stream.NewName(app, base); err == nil && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	under := func(app string, rest []string) {
		dir := strings.Join(rest[:len(rest)-1], "/")
		for i, v := range variants(base) {
			if i == 0 || !exact {
				add(app, dir, v)
			}
		}
		if !exact && len(rest) > 1 {
			for _, v := range variants(rest[len(rest)-2]) {
				add(app, strings.Join(rest[:len(rest)-2], "/"), v)
			}
		}
	}
	for _, x := range p {
		if rest, ok := strings.CutPrefix(path, x.path+"/"); ok {
			under(x.app, strings.Split(rest, "/"))
			break
		}
	}
	for i := len(segs) - 1; i >= 1; i-- {
		under(strings.Join(segs[:i], "/"), segs[i:])
	}
	return names, ext != ""
}

// variants are the streams that a file's name may be of: itself, without a number
// at its end, without a rendition.
func variants(base string) []string {
	out := []string{base}
	plain := strings.TrimRight(base, "0123456789")
	if dashed, ok := strings.CutSuffix(plain, "-"); ok && plain != base {
		plain = dashed
	}
	for _, v := range []string{plain, cutLast(base, '_'), cutLast(plain, '_')} {
		if v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func cutLast(s string, sep byte) string {
	if i := strings.LastIndexByte(s, sep); i > 0 {
		return s[:i]
	}
	return ""
}
