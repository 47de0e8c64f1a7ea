package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

const (
	// keepEvery is how often the leader looks for members that have lost their data. Why not larger: one
	// that comes back is half of what the next failure leaves.
	keepEvery = time.Second
	// keepTimeout bounds a change of the membership. Why not smaller: an election comes between.
	keepTimeout = 5 * time.Second
)

// keeper takes members in again that have lost their data: the leader takes such a member out, under the
// number whose votes it has forgotten, and adds it with a new one. Who is taken out has said, after the
// cluster's list was read, that it has no data; so a member that runs never is.
type keeper struct {
	server *etcdserver.EtcdServer
	self   string
	all    members
	log    *slog.Logger // may be nil
	client *http.Client

	cancel context.CancelFunc
	done   chan struct{}

	// This goroutine's.
	said   string
	saidAt time.Time
}

func keep(server *etcdserver.EtcdServer, self string, all members, log *slog.Logger) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{server: server, self: self, all: all, log: log, client: newPeerClient(), cancel: cancel, done: make(chan struct{})}
	go k.run(ctx)
	return k
}

// stop ends it. So does that of a nil keeper.
func (k *keeper) stop() {
	if k == nil {
		return
	}
	k.cancel()
	<-k.done
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.server.StopNotify():
			return
		case <-tick.C:
		}
		switch k.server.Leader() {
		case k.server.MemberID():
			for _, m := range k.bootstrapping(ctx) {
				if err := k.replace(ctx, m); err != nil && ctx.Err() == nil {
					k.say(slog.LevelWarn, "a member of the store has no data and cannot be taken in yet", "member", m.name, "err", err)
				}
			}
		case 0:
			k.reportQuorumLoss(k.bootstrapping(ctx))
		}
	}
}

// bootstrapping are the other members that wait without data.
func (k *keeper) bootstrapping(ctx context.Context) members {
	var out members
	for _, m := range k.all {
		if m.name == k.self {
			continue
		}
		switch a := ask(ctx, k.client, m, nil); {
		case a.bootstrapping != nil && a.bootstrapping.of(m, k.all):
			out = append(out, m)
		case a.bootstrapping != nil:
			k.say(slog.LevelError, sayLists, "members", a.bootstrapping.lists(m, k.all))
		}
	}
	return out
}

// replace replaces a member that has no data.
func (k *keeper) replace(ctx context.Context, m member) error {
	ctx, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	if err := k.server.LinearizableReadNotify(ctx); err != nil {
		return err
	}
	known := recordOf(k.server.Cluster().Members(), m)
	if known != nil && !started(known) {
		return nil // it has been taken in, and is about to see that
	}
	if a := ask(ctx, k.client, m, nil); a.bootstrapping == nil {
		return nil // it is not there any more
	}
	if known != nil {
		if _, err := k.server.RemoveMember(ctx, uint64(known.ID)); err != nil {
			return fmt.Errorf("taking it out: %w", err)
		}
	}
	urls, err := types.NewURLs([]string{m.url()})
	if err != nil {
		return err
	}
	now := time.Now()
	if _, err := k.server.AddMember(ctx, *membership.NewMember("", urls, "", &now)); err != nil {
		return fmt.Errorf("taking it in: %w", err)
	}
	if k.log != nil {
		k.log.Warn("a member of the store had lost its data and has been taken in again", "member", m.name)
	}
	return nil
}

// reportQuorumLoss says so when there is no leader because too many have lost their data.
func (k *keeper) reportQuorumLoss(bootstrapping members) {
	cluster := k.server.Cluster().Members()
	var lost []string
	for _, m := range bootstrapping {
		if c := recordOf(cluster, m); c != nil && started(c) {
			lost = append(lost, m.name)
		}
	}
	if len(lost) > 0 && len(cluster)-len(lost) < len(cluster)/2+1 {
		k.say(slog.LevelError, sayNoQuorum, "members", strings.Join(lost, " "))
	}
}

// say logs, but the same again only now and then.
func (k *keeper) say(level slog.Level, text string, args ...any) {
	if all := text + fmt.Sprint(args...); k.log != nil && (all != k.said || time.Since(k.saidAt) >= sayAgain) {
		k.said, k.saidAt = all, time.Now()
		k.log.Log(context.Background(), level, text, args...)
	}
}

// otherCluster is the error that the data of a member are of a cluster that is not the configured one.
func otherCluster(cluster []*membership.Member, all members, dir string) error {
	var unlisted []string
	for _, m := range cluster {
		if _, ok := all.at(first(m.PeerURLs)); !ok {
			unlisted = append(unlisted, cmp.Or(m.Name, "?")+"="+strings.TrimPrefix(first(m.PeerURLs), "http://"))
		}
	}
	if len(unlisted) == 0 {
		return nil
	}
	return fmt.Errorf("the data in %s are of a cluster with other members, %s: correct store.peers, or move that directory away to begin with other data",
		dir, strings.Join(unlisted, " "))
}
