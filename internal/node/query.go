package node

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"weir/internal/ops/admin"
)

// What one node may ask another, with the argument of each.
const (
	queryViewers = "viewers" // how many viewers it has of each stream; the last name of the page before
	querySilence = "silence" // whether a stream is published there, and since when nothing came; its name
	queryFed     = "fed"     // whether a stream comes in there by a pull, and since when nothing came; its name
	queryDrain   = "drain"   // hand over what it has; the window, as a duration
	queryUndrain = "undrain" // take sessions again; none
	queryBackend = "backend" // what an operator wants of a server that is no node; an orders.Order
	queryLeft    = "left"    // what this front has at a server that is no node; its name
	queryWord    = "word"    // the node's state and load; none
	queryProcess = "process" // which process this is; none
	querySession = "session" // its clients' sessions; the last of the page before, a sessionMark
	queryKick    = "kick"    // end a connection; its number. The answer is how many publishes and plays that ended
)

// askTimeout bounds how long a listing waits for a node that does not answer.
const askTimeout = time.Second

// answer is what this node says to another member's question.
func (n *node) answer(question, arg string) (string, error) {
	switch question {
	case queryViewers:
		return n.viewerPage(arg)
	case querySilence:
		return n.answerSilence(arg)
	case queryFed:
		return n.answerFed(arg)
	case queryDrain:
		window, err := time.ParseDuration(arg)
		if err != nil {
			return "", fmt.Errorf("drain window: %w", err)
		}
		n.drain(window, false)
		return "", nil
	case queryUndrain:
		n.undrain()
		return "", nil
	case queryBackend:
		return n.answerOrder(arg)
	case queryLeft:
		return n.leftAt(arg)
	case queryWord:
		b, err := json.Marshal(n.ownWord())
		return string(b), err
	case queryProcess:
		return n.cluster.Self().Process, nil
	case querySession:
		return n.sessionPage(arg)
	case queryKick:
		conn, err := strconv.ParseUint(arg, 10, 64)
		if err != nil {
			return "", fmt.Errorf("session to be ended: %w", err)
		}
		return strconv.Itoa(n.kick(conn)), nil
	}
	return "", fmt.Errorf("unknown question %q", question)
}

// askNode asks a node, be it this one. It fails with a *admin.NoNodeError.
func (n *node) askNode(ctx context.Context, name, question, arg string) (string, error) {
	if name == n.cfg.Node.Name {
		return n.answer(question, arg)
	}
	m, ok := n.cluster.Node(name)
	if !ok {
		return "", &admin.NoNodeError{Name: name}
	}
	return n.peers.Query(ctx, m.Addresses.RTMP, question, arg)
}
