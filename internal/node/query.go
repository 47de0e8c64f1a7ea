package node

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"weir/internal/stream"
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
	queryProcess = "process" // which process this is; none
	querySession = "session" // its clients' sessions; the last of the page before, a sessionMark
	queryKick    = "kick"    // end a connection; its number. The answer is how many publishes and plays that ended
)

// queryPage bounds one answer, in streams: at 64 bytes each well under the limit
// of a command.
const queryPage = 256

// viewerCount is one stream in the answer, in the order of names.
type viewerCount struct {
	Name    string `json:"name"`
	Viewers int    `json:"viewers"`
}

// answer is what this node says to another member's question.
func (n *node) answer(question, arg string) (string, error) {
	switch question {
	case queryViewers:
		return n.viewerPage(arg)
	case querySilence:
		return n.silence(arg)
	case queryFed:
		return n.fed(arg)
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

// ownAudience is the number of viewers of each stream that are served here, or through here by
// servers that are no nodes.
func (n *node) ownAudience() map[stream.Name]int {
	sum := n.play.Audience()
	for name, count := range n.front.Audience() {
		sum[name] += count
	}
	return sum
}

// viewerPage is one page of this node's audience.
func (n *node) viewerPage(after string) (string, error) {
	var all []viewerCount
	for name, count := range n.ownAudience() {
		if s := name.String(); s > after {
			all = append(all, viewerCount{s, count})
		}
	}
	slices.SortFunc(all, func(a, b viewerCount) int { return strings.Compare(a.Name, b.Name) })
	b, err := json.Marshal(all[:min(len(all), queryPage)])
	return string(b), err
}

// viewerCache holds the whole cluster's audience for a moment, so that a page
// that refreshes does not ask every node each time.
type viewerCache struct {
	mu    sync.Mutex
	at    time.Time
	count map[stream.Name]int
}

const viewerCacheTTL = 500 * time.Millisecond

// askTimeout bounds how long a listing waits for a node that does not answer.
const askTimeout = time.Second

// audience is the number of viewers of each stream in the whole cluster. Nodes
// that do not answer in time count as none.
func (n *node) audience(ctx context.Context) map[stream.Name]int {
	n.viewers.mu.Lock()
	defer n.viewers.mu.Unlock()
	if time.Since(n.viewers.at) < viewerCacheTTL {
		return n.viewers.count
	}
	sum := n.ownAudience()
	var mu sync.Mutex
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for _, other := range n.cluster.Nodes() {
		if other.Name == n.cfg.Node.Name || other.Addresses.RTMP == "" {
			continue
		}
		wg.Go(func() {
			counts := n.ask(ctx, other.Addresses.RTMP)
			mu.Lock()
			defer mu.Unlock()
			for name, c := range counts {
				sum[name] += c
			}
		})
	}
	wg.Wait()
	n.viewers.count, n.viewers.at = sum, time.Now()
	return sum
}

// ask gets one node's audience, page by page.
func (n *node) ask(ctx context.Context, addr string) map[stream.Name]int {
	counts := make(map[stream.Name]int)
	for after := ""; ; {
		text, err := n.peers.Query(ctx, addr, queryViewers, after)
		if err != nil {
			return counts
		}
		var page []viewerCount
		if json.Unmarshal([]byte(text), &page) != nil {
			return counts
		}
		for _, v := range page {
			if name, err := stream.ParseName(v.Name); err == nil {
				counts[name] = v.Viewers
			}
		}
		if len(page) < queryPage {
			return counts
		}
		after = page[len(page)-1].Name
	}
}
