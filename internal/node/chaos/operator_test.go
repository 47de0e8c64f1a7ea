package chaos

import (
	"context"
	"encoding/hex"
	"net"
	"time"

	"weir/internal/media/relay"
	"weir/internal/stream"
)

// order gives an operator's order to a node, as another node does that was asked to, again until it is taken or the
// process is another.
func (w *world) order(p *process, order, arg string) {
	for patience := time.Now().Add(turmoil); time.Now().Before(patience); time.Sleep(100 * time.Millisecond) {
		w.mu.Lock()
		alive := p.m.up == p
		w.mu.Unlock()
		if !alive {
			return
		}
		err := w.ask(p.m, order, arg)
		w.logf("--- %s.%d %s: %v", p.m.name, p.gen, order, err)
		if err == nil {
			return
		}
	}
}

func (w *world) ask(m *machine, order, arg string) error {
	kvs, _, err := w.m.List(context.Background(), "/weir/1/secret")
	if err != nil || len(kvs) == 0 {
		return err
	}
	secret, err := hex.DecodeString(string(kvs[0].Value))
	if err != nil {
		return err
	}
	e := w.net.endpoint(host(160))
	defer e.die()
	peers := relay.NewPeers("operator", func() []byte { return secret }, func(ctx context.Context, addr string) (net.Conn, error) {
		return e.dial(ctx, "tcp", addr)
	})
	defer peers.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, err = peers.Query(ctx, m.addr, order, arg)
	return err
}

// guard is a rival's word that it has the stream: while there is nothing wrong but with the store, it must not
// have it from a publisher that is on air.
func (w *world) guard(name stream.Name, p *publisher) func(uint64) {
	return func(rival uint64) {
		p.mu.Lock()
		life, since := p.live, p.since
		p.mu.Unlock()
		if w.s.storeOnly && life != 0 && since < w.s.faults[0].at {
			w.fail("%v was given to the rival %d, while publisher %d was on air", name, rival, life)
		}
	}
}
