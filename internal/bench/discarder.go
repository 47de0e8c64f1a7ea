package bench

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"weir/rtmp"
)

// What players acknowledge: a window of 2.5 MB as most servers ask for, and, so that
// a server with a limit on silence sees life at any bit rate, now and then anyway.
const (
	ackBytes = 2_500_000
	ackTime  = 20 * time.Second
)

// discarder reads viewers' bytes without looking at them. The loops are the system's
// (discard_linux.go); connections that the kernel cannot drain alone are read by
// a goroutine each.
type discarder struct {
	reader Reader
	loops  []*loop
	next   atomic.Uint32
	extra  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	streams map[*drain]struct{} // those with a goroutine
}

// drain is one viewer whose bytes are thrown away.
type drain struct {
	bytes atomic.Int64    // received, the conversation included
	acks  bool            // acknowledge
	ended func(err error) // called once, by the loop, if the server ends it

	// The loop's.
	fd      int
	nc      net.Conn // instead of fd
	acked   int64
	ackedAt time.Time
}

func newDiscarder(r Reader, loops int) (*discarder, error) {
	d := &discarder{reader: r, streams: map[*drain]struct{}{}}
	for range max(loops, 1) {
		l, err := newLoop(r)
		if err != nil {
			d.close()
			return nil, err
		}
		d.loops = append(d.loops, l)
	}
	return d, nil
}

// take takes over a connection of which read bytes were received already. The
// caller must not use nc afterwards.
func (d *discarder) take(nc net.Conn, read int64, acks bool, ended func(error)) (*drain, error) {
	v := &drain{acks: acks, ended: ended, nc: nc, fd: -1, acked: read, ackedAt: time.Now()}
	v.bytes.Store(read)
	if tcp, ok := nc.(*net.TCPConn); ok {
		fd, ok, err := detach(tcp)
		if err != nil {
			return nil, err
		}
		if ok {
			v.nc, v.fd = nil, fd
			return v, d.loops[int(d.next.Add(1))%len(d.loops)].add(v)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		nc.Close()
		return nil, net.ErrClosed
	}
	d.streams[v] = struct{}{}
	d.extra.Go(func() { d.copy(v) })
	return v, nil
}

// copy reads a connection that needs this process, such as TLS. Its reader is always eager.
func (d *discarder) copy(v *drain) {
	buf := make([]byte, 16<<10)
	for {
		n, err := v.nc.Read(buf)
		v.bytes.Add(int64(n))
		if err != nil {
			d.mu.Lock()
			closed := d.closed
			delete(d.streams, v)
			d.mu.Unlock()
			v.nc.Close()
			if !closed {
				v.ended(err)
			}
			return
		}
		if ack := v.ack(time.Now()); ack != nil {
			v.nc.Write(ack)
		}
	}
}

// ack returns the acknowledgement to be sent now, or nil.
func (v *drain) ack(now time.Time) []byte {
	n := v.bytes.Load()
	if !v.acks || n == v.acked || n-v.acked < ackBytes && now.Sub(v.ackedAt) < ackTime {
		return nil
	}
	v.acked, v.ackedAt = n, now
	return rtmp.AppendAck(nil, uint32(n))
}

// close ends all connections and waits for the loops.
func (d *discarder) close() {
	d.mu.Lock()
	d.closed = true
	for v := range d.streams {
		v.nc.Close()
	}
	d.mu.Unlock()
	d.extra.Wait()
	for _, l := range d.loops {
		l.close()
	}
}
