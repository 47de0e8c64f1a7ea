package relay

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// line is a connection at whose other end nobody is.
type line struct {
	in, pings atomic.Int64
	reading   atomic.Bool
}

func (l *line) BytesIn() int64    { return l.in.Load() }
func (l *line) Ping(uint32) error { l.pings.Add(1); return nil }
func (l *line) Reading() bool     { return l.reading.Load() }

func TestSilenceIsCountedWhileItIsListenedTo(t *testing.T) {
	var known atomic.Int64
	known.Store(1)
	for name, watch := range map[string]func(*line, <-chan struct{}) error{
		"a node":     func(l *line, done <-chan struct{}) error { return WatchAlive(l, done, nil) },
		"a stranger": func(l *line, done <-chan struct{}) error { return WatchStranger(l, &known, done, nil) },
		"a stranger that has answered no ping": func(l *line, done <-chan struct{}) error {
			return WatchStranger(l, new(atomic.Int64), done, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, done, over := new(line), make(chan struct{}), make(chan error, 1)
				go func() { over <- watch(l, done) }()
				time.Sleep(time.Minute)
				synctest.Wait()
				select {
				case err := <-over:
					t.Fatalf("given up while nobody read: %v", err)
				default:
				}
				if n := l.pings.Load(); n != 0 {
					t.Errorf("%d pings whose answers nobody reads", n)
				}
				l.reading.Store(true)
				time.Sleep(PeerSilence - PeerPing) // the last look may have been so long ago
				synctest.Wait()
				if l.pings.Load() == 0 {
					t.Error("no ping once it is read")
				}
				if name == "a stranger that has answered no ping" {
					close(done)
					if err := <-over; err != nil {
						t.Error(err)
					}
					return
				}
				select {
				case err := <-over:
					t.Fatalf("given up before %v of silence: %v", PeerSilence-PeerPing, err)
				default:
				}
				time.Sleep(3 * PeerPing)
				synctest.Wait()
				if err := <-over; !errors.Is(err, ErrPeerSilent) {
					t.Error(err)
				}
			})
		})
	}
}
