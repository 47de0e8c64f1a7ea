package relay

import (
	"sync/atomic"
	"time"

	"weir/rtmp"
)

// ping is a push's ping that goes along with the next media. Hundreds of pushes would else spend
// as much on pings as on a quarter of their media: a packet each, and a goroutine to send it.
type ping struct {
	due    atomic.Int64 // stamp + 1; 0: none waits
	boards atomic.Int64 // when media was last sent, Unix ms
}

// rideLately: media that was sent within that time will be again. Why not longer: a ping may be late by a
// tick when it is not, of the five within PeerSilence.
const rideLately = 200 * time.Millisecond

// ride is rider.
func (p *Push) ride(stamp uint32) bool {
	waits := p.ping.due.Swap(0) != 0 // the last one: nothing has been sent since
	if waits || time.Now().UnixMilli()-p.ping.boards.Load() > rideLately.Milliseconds() {
		return false
	}
	p.ping.due.Store(int64(stamp) + 1)
	return true
}

// board returns the ping that goes with the media that is about to be sent, if there is one.
func (p *ping) board() []byte {
	p.boards.Store(time.Now().UnixMilli())
	due := p.due.Load()
	if due == 0 || !p.due.CompareAndSwap(due, 0) {
		return nil
	}
	return rtmp.AppendUserControl(nil, rtmp.PingRequest, uint32(due-1))
}

// BytesIn and Ping are pinged.
func (p *Push) BytesIn() int64          { return p.conn.BytesIn() }
func (p *Push) Ping(stamp uint32) error { return p.conn.Ping(stamp) }
