package web

import (
	"errors"
	"io"
	"time"
)

var (
	errBody    = errors.New("web: the request's body stalled")
	errSilent  = errors.New("web: the server fell silent")
	errClosing = errors.New("web: this node stops")
)

// answerBody is a server's answer; a server that sends nothing for too long ends the
// request. Time in which the client does not take what there is does not count.
type answerBody struct {
	io.ReadCloser
	silence time.Duration
	p       *passing
	timer   *time.Timer

	// gather is how long what comes in small pieces waits for more. A stream is a piece
	// a frame; each costs a wake-up, a read and a write.
	gather time.Duration
	gone   <-chan struct{} // the request is over
	last   time.Time       // of the last read, if it was small; else zero
	pause  *time.Timer
}

// whole is a read that is passed on at once: more is likely there already.
const whole = copyBytes / 2

func (b *answerBody) wait() {
	if b.last.IsZero() {
		return
	}
	left := b.gather - time.Since(b.last)
	if left <= 0 {
		return
	}
	if b.pause == nil {
		b.pause = time.NewTimer(left)
	} else {
		b.pause.Reset(left)
	}
	select {
	case <-b.pause.C:
	case <-b.gone:
	}
}

func (b *answerBody) Read(buf []byte) (int, error) {
	b.wait()
	if b.silence > 0 {
		if b.timer == nil {
			b.timer = time.AfterFunc(b.silence, func() { b.p.expire(errSilent) })
		} else {
			b.timer.Reset(b.silence)
		}
	}
	n, err := b.ReadCloser.Read(buf)
	if b.timer != nil {
		b.timer.Stop()
	}
	if b.last = (time.Time{}); b.gather > 0 && n < whole {
		b.last = time.Now()
	}
	return n, err
}
