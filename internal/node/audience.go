package node

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"weir/internal/stream"
)

// queryPage bounds one answer, in streams: at 64 bytes each well under the limit
// of a command.
const queryPage = 256

// viewerCount is one stream in the answer, in the order of names.
type viewerCount struct {
	Name    string `json:"name"`
	Viewers int    `json:"viewers"`
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
			counts := n.audienceOf(ctx, other.Addresses.RTMP)
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

// audienceOf gets one node's audience, page by page.
func (n *node) audienceOf(ctx context.Context, addr string) map[stream.Name]int {
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
