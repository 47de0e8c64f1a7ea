package cluster

import (
	"net/url"
	"strings"

	"weir/internal/stream"
)

// keys builds and reads the keys of the store. Names are path-escaped, so that no
// name can hold the separator or reach into another's key:
//
//	PREFIX incarnation           decimal
//	PREFIX secret                hex
//	PREFIX nodes/NODE            NodeRecord as JSON, under the node's lease
//	PREFIX loads/NODE            Load as JSON, under the node's lease
//	PREFIX fronts/NODE           what the node has at servers that are no nodes, as JSON, under its lease
//	PREFIX turns/SERVER          who let a publisher in there last, under that node's lease
//	PREFIX streams/APP/STREAM    streamValue as JSON, under the owner's lease
//	PREFIX pulls/APP/STREAM/NODE empty, under the edge's lease
//	PREFIX orders/…              package orders': what operators want of servers that are no nodes
type keys struct{ prefix string }

func (k keys) incarnation() string         { return k.prefix + "incarnation" }
func (k keys) secret() string              { return k.prefix + "secret" }
func (k keys) node(name string) string     { return k.prefix + "nodes/" + url.PathEscape(name) }
func (k keys) load(name string) string     { return k.prefix + "loads/" + url.PathEscape(name) }
func (k keys) fronts() string              { return k.prefix + "fronts/" }
func (k keys) front(name string) string    { return k.fronts() + url.PathEscape(name) }
func (k keys) turn(server string) string   { return k.prefix + "turns/" + url.PathEscape(server) }
func (k keys) stream(n stream.Name) string { return k.prefix + "streams/" + escapeName(n) }
func (k keys) pull(n stream.Name, node string) string {
	return k.prefix + "pulls/" + escapeName(n) + "/" + url.PathEscape(node)
}

func escapeName(n stream.Name) string {
	return url.PathEscape(n.App) + "/" + url.PathEscape(n.Stream)
}

// parsed is what a key names; kind is "" for a key that this version does not know.
type parsed struct {
	kind string // incarnation, secret, nodes, loads, fronts, turns, streams, pulls
	node string // of turns: the server
	name stream.Name
}

func (k keys) parse(key string) parsed {
	rest, ok := strings.CutPrefix(key, k.prefix)
	if !ok {
		return parsed{}
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		var err error
		if parts[i], err = url.PathUnescape(p); err != nil {
			return parsed{}
		}
	}
	p := parsed{kind: parts[0]}
	switch {
	case (p.kind == "incarnation" || p.kind == "secret") && len(parts) == 1:
	case (p.kind == "nodes" || p.kind == "loads" || p.kind == "fronts" || p.kind == "turns") && len(parts) == 2:
		p.node = parts[1]
	case p.kind == "streams" && len(parts) == 3:
		p.name = stream.Name{App: parts[1], Stream: parts[2]}
	case p.kind == "pulls" && len(parts) == 4:
		p.name, p.node = stream.Name{App: parts[1], Stream: parts[2]}, parts[3]
	default:
		return parsed{}
	}
	return p
}
