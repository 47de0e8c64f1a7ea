package rtmp

import "sync"

// RecordMax bounds what a Conn records of each direction. A conversation before
// the media is a few KiB; what is longer is no use to anybody.
const RecordMax = 64 << 10

// recording is what both sides have said since the handshake, as bytes.
type recording struct {
	mu      sync.Mutex
	in, out []byte
	tooLong bool
}

// Record keeps what is read and written from now on, for whoever wants to say
// it again elsewhere; see Recorded. To be called after the handshake, before
// anything is read.
func (c *Conn) Record() { c.rec.Store(new(recording)) }

// StopRecording forgets it. Any goroutine.
func (c *Conn) StopRecording() { c.rec.Store(nil) }

// Recorded returns copies of all bytes that were read, those not decoded yet
// too, and of all that were written to the network; false if nothing is recorded or it was
// more than RecordMax. Any goroutine; what is under way at the moment may or may
// not be there.
func (c *Conn) Recorded() (in, out []byte, ok bool) {
	r := c.rec.Load()
	if r == nil {
		return nil, nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tooLong {
		return nil, nil, false
	}
	return append([]byte(nil), r.in...), append([]byte(nil), r.out...), true
}

func (c *Conn) recordIn(p []byte) {
	if r := c.rec.Load(); r != nil {
		r.add(&r.in, p)
	}
}

func (c *Conn) recordOut(p []byte) {
	if r := c.rec.Load(); r != nil {
		r.add(&r.out, p)
	}
}

func (r *recording) add(to *[]byte, p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tooLong || len(*to)+len(p) > RecordMax {
		r.tooLong, r.in, r.out = true, nil, nil
		return
	}
	*to = append(*to, p...)
}
