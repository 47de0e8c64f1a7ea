package node

import (
	"sync/atomic"
	"time"

	"weir/internal/trail"
)

// markFor is how long a mark is said before it is made anew. Why not longer: another front learns by
// it that the two are in a circle. Why not shorter: it looks at all backends.
const markFor = 250 * time.Millisecond

// marks is what this node's handshakes say of it.
type marks struct {
	self trail.ID
	now  atomic.Pointer[mark]
}

type mark struct {
	made time.Time
	text []byte
}

// ownTrail reports whether an ID is this process, or a front of its cluster.
func (n *node) ownTrail(id trail.ID) bool {
	if id == n.marks.self {
		return true
	}
	for _, m := range n.cluster.Nodes() {
		if trail.NewID(m.Process) == id {
			return true
		}
	}
	return false
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
