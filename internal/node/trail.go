package node

import (
	"sync/atomic"
	"time"

	"weir/internal/trail"
)

// markFor is how long a mark is said, and the cluster's processes are known, before they are looked up anew. Why not
// longer: another front learns by a mark that the two are in a circle. Why not shorter: all backends, or all nodes, are
// looked at, and strangers' handshakes ask for the latter.
const markFor = 250 * time.Millisecond

// marks is what this node's handshakes say of it.
type marks struct {
	self trail.ID
	now  atomic.Pointer[mark]
	own  atomic.Pointer[processes]
}

type mark struct {
	made time.Time
	text []byte
}

// processes are this one and those of the cluster's nodes.
type processes struct {
	made time.Time
	ids  map[trail.ID]struct{}
}

// ownTrail reports whether an ID is this process, or a node of its cluster.
func (n *node) ownTrail(id trail.ID) bool {
	own := n.marks.own.Load()
	if own == nil || time.Since(own.made) > markFor {
		own = &processes{time.Now(), map[trail.ID]struct{}{n.marks.self: {}}}
		for _, m := range n.cluster.Nodes() {
			own.ids[trail.NewID(m.Process)] = struct{}{}
		}
		n.marks.own.Store(own)
	}
	_, ok := own.ids[id]
	return ok
}

// ownMark says who this front is and which fronts are among its backends; nil if it has none.
func (n *node) ownMark() []byte {
	if n.watched.checker == nil {
		return nil
	}
	m := n.marks.now.Load()
	if m == nil || time.Since(m.made) > markFor {
		m = &mark{time.Now(), append(trail.Trail{n.marks.self}, n.watched.checker.Fronts()...).Mark()}
		n.marks.now.Store(m)
	}
	return m.text
}
