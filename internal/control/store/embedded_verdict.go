package store

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

// clusterState is what a member without data begins with: etcd's initial-cluster-state, or nothing yet.
type clusterState int

const (
	undecided       clusterState = iota
	newCluster                   // together with the others
	existingCluster              // which has been told of it
)

func (s clusterState) String() string {
	return [...]string{"undecided", "a new cluster", "the cluster that there is"}[s]
}

// verdict is what the answers of the other members mean for one without data.
type verdict struct {
	state   clusterState
	members members // of the cluster to begin with

	// What to say while waiting.
	level slog.Level
	say   string
	who   string // the members that it is about
}

// What a member without data says while it waits. None of them is an end: the others may come, be
// corrected, or take it in.
const (
	sayMissing   = "the store waits: a new cluster begins when all of its members are there for the first time"
	sayNotMember = "the store waits: what answers at a member's address is no member of a store"
	sayLists     = "the store waits: members are configured with different lists of members, and cannot begin together"
	sayUnlisted  = "the store waits: the cluster that there is has members that are not in store.peers"
	sayLost      = "this member of the store has no data, and the cluster exists: waiting until the others take it in again"
	sayNoQuorum  = "the store has lost the data of so many members that the rest cannot go on; " +
		"to begin anew: on each node that still has data, end it, move its store.dir away, start it again"
)

// decide says what name, a member without data, is to do. A new cluster begins only if no member has data, and
// all have said so: whoever is silent may have them.
func decide(name string, all members, answers map[string]answer) verdict {
	var missing, notMember, lists []string
	var clusters []string // who answers from one
	for _, m := range all {
		if m.name == name {
			continue
		}
		switch a := answers[m.name]; {
		case a.bootstrapping != nil && !a.bootstrapping.of(m, all):
			lists = append(lists, a.bootstrapping.lists(m, all))
		case a.bootstrapping != nil:
		case a.cluster != nil:
			clusters = append(clusters, m.name)
		case a.notMember:
			notMember = append(notMember, fmt.Sprintf("%s at %s: %v", m.name, m.addr, a.err))
		default:
			missing = append(missing, m.name)
		}
	}
	say := func(level slog.Level, text string, who []string) verdict {
		return verdict{level: level, say: text, who: strings.Join(who, " ")}
	}
	switch {
	case len(lists) > 0:
		return say(slog.LevelError, sayLists, lists)
	case len(clusters) > 0:
		return rejoin(name, all, answers, clusters)
	case len(notMember) > 0:
		return say(slog.LevelError, sayNotMember, notMember)
	case len(missing) > 0:
		return say(slog.LevelInfo, sayMissing, missing)
	}
	return verdict{state: newCluster, members: all}
}

// rejoin is decide's part where some members answer from a cluster. It is begun with only if they agree
// that this member has never run under the number that they have for it: one that has may have voted.
func rejoin(name string, all members, answers map[string]answer, from []string) verdict {
	self, _ := all.named(name)
	ready := true
	var id types.ID
	for _, who := range from {
		cluster := answers[who].cluster
		var unlisted []string
		for _, m := range cluster {
			if _, ok := all.at(first(m.PeerURLs)); !ok || len(m.PeerURLs) != 1 {
				unlisted = append(unlisted, cmp.Or(m.Name, "?")+"="+strings.Join(m.PeerURLs, "+"))
			}
		}
		if len(unlisted) > 0 {
			return verdict{level: slog.LevelError, say: sayUnlisted, who: strings.Join(unlisted, " ")}
		}
		own := recordOf(cluster, self)
		ready = ready && own != nil && !started(own) && (id == 0 || id == own.ID)
		if own != nil {
			id = own.ID
		}
		var lost []string
		for _, m := range all {
			if c := recordOf(cluster, m); c != nil && started(c) && (m.name == name || answers[m.name].bootstrapping != nil) {
				lost = append(lost, m.name)
			}
		}
		if len(cluster)-len(lost) < len(cluster)/2+1 {
			return verdict{level: slog.LevelError, say: sayNoQuorum, who: strings.Join(lost, " ")}
		}
	}
	if !ready {
		return verdict{level: slog.LevelWarn, say: sayLost, who: name}
	}
	cluster := answers[from[0]].cluster
	if original(all, cluster) {
		return verdict{state: newCluster, members: all}
	}
	v := verdict{state: existingCluster}
	for _, m := range cluster {
		peer, _ := all.at(first(m.PeerURLs))
		v.members = append(v.members, peer)
	}
	return v
}

// started reports whether a member has run under its number: it tells its client addresses then.
func started(m *membership.Member) bool { return len(m.ClientURLs) > 0 }

// recordOf returns what a cluster knows of a configured member, or nil.
func recordOf(cluster []*membership.Member, m member) *membership.Member {
	for _, c := range cluster {
		if slices.Contains(c.PeerURLs, m.url()) {
			return c
		}
	}
	return nil
}

// original reports whether a cluster is still as it began, with the numbers that etcd derives from the
// addresses: a member that comes late to such a beginning has to begin in the same way.
func original(all members, cluster []*membership.Member) bool {
	if len(cluster) != len(all) {
		return false
	}
	for _, m := range cluster {
		urls, err := types.NewURLs(m.PeerURLs)
		if err != nil || membership.NewMember("", urls, embed.NewConfig().InitialClusterToken, nil).ID != m.ID {
			return false
		}
	}
	return true
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
