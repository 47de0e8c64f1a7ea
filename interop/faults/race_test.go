package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"weir/rtmp"
)

// P1: two publishers want one key at the same moment, at two origins. One gets it,
// again and again; and what all of them are told fits one order of events.
func TestP1RacesForOneKey(t *testing.T) {
	tell(t, "races of two publishers for one key on two origins", func(s *story) {
		c := s.cluster(1, "o1:origin", "o2:origin")
		var wrong atomic.Int32
		races := scale(100, 1000)
		var wg sync.WaitGroup
		next := make(chan int)
		for range 4 { // keys at a time
			wg.Go(func() {
				for i := range next {
					if err := race(c, fmt.Sprint("key", i)); err != nil {
						wrong.Add(1)
						s.note("race %d: %v", i, err)
						t.Errorf("race %d: %v", i, err)
					}
				}
			})
		}
		for i := range races {
			next <- i
		}
		close(next)
		wg.Wait()
		s.zero(fmt.Sprintf("wrong races of %d", races), int(wrong.Load()))
		s.eventually(10*time.Second, "nothing is left in the registry", c.truth(nil))
	})
}

// What a racer did, for the checker: a key is held by one or by nobody.
type (
	keyInput struct {
		who   int
		leave bool
	}
	keyState int // who holds it; 0: nobody
)

var keyModel = porcupine.Model{
	Init: func() any { return keyState(0) },
	Step: func(state, in, out any) (bool, any) {
		held, i, got := state.(keyState), in.(keyInput), out.(bool)
		switch {
		case i.leave:
			return held == keyState(i.who), keyState(0)
		case got:
			return held == 0, keyState(i.who)
		}
		return held != 0, held
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v → %v", in, out) },
}

// race has two publishers ask for a key at once, and the loser again after the
// winner has left.
func race(c *members, key string) error {
	began := time.Now()
	now := func() int64 { return int64(time.Since(began)) }
	var mu sync.Mutex
	var history []porcupine.Operation
	record := func(o porcupine.Operation) {
		mu.Lock()
		defer mu.Unlock()
		history = append(history, o)
	}
	ask := func(r *racer) (bool, error) {
		call := now()
		got, err := r.publish(key)
		if err == nil {
			record(porcupine.Operation{ClientId: r.who, Input: keyInput{who: r.who}, Call: call, Output: got, Return: now()})
		}
		return got, err
	}
	racers := make([]*racer, 2)
	var errs [2]error
	var got [2]bool
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, at := range []string{"o1", "o2"} {
		r, err := newRacer(i+1, c.node(at))
		if err != nil {
			return err
		}
		defer r.close()
		racers[i] = r
		wg.Go(func() {
			<-start
			got[i], errs[i] = ask(r)
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if got[0] == got[1] {
		return fmt.Errorf("both were told %v", got[0])
	}
	winner, loser := racers[0], racers[1]
	if got[1] {
		winner, loser = loser, winner
	}
	// It stays what it was told to be.
	if err := winner.sendFor(50 * ms); err != nil {
		return fmt.Errorf("the winner at %s was accepted and then: %w", winner.at.name, err)
	}
	left := now()
	winner.close()
	for again := true; again; {
		loser.close()
		r, err := newRacer(loser.who, loser.at)
		if err != nil {
			return err
		}
		loser = r
		ok, err := ask(loser)
		if err != nil {
			loser.close()
			return err
		}
		again = !ok && time.Since(began) < 10*time.Second
		if !ok && !again {
			loser.close()
			return errors.New("the key was not free 10 s after its publisher had left")
		}
	}
	defer loser.close()
	// Nobody says when a key was given back: at any time from when it was asked for.
	record(porcupine.Operation{ClientId: winner.who + 2, Input: keyInput{who: winner.who, leave: true}, Call: left, Output: true, Return: now()})
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	if r := porcupine.CheckOperationsTimeout(keyModel, history, 10*time.Second); r != porcupine.Ok {
		return fmt.Errorf("not linearizable (%v): %+v", r, history)
	}
	return nil
}

// racer is a publisher that is ready to ask.
type racer struct {
	who  int
	at   *node
	nc   net.Conn
	conn *rtmp.ClientConn
	id   uint32
}

func newRacer(who int, at *node) (*racer, error) {
	nc, err := net.Dial("tcp", at.listening["rtmp"])
	if err != nil {
		return nil, err
	}
	nc.SetDeadline(time.Now().Add(30 * time.Second))
	r := &racer{who: who, at: at, nc: nc, conn: rtmp.NewClientConn(nc, rtmp.Options{})}
	if err = r.conn.Handshake(); err == nil {
		_, err = r.conn.Connect(&rtmp.Connect{App: app, TCURL: "rtmp://" + at.listening["rtmp"] + "/" + app, FlashVer: "FMLE/3.0"})
	}
	if err == nil {
		r.id, err = r.conn.CreateStreamNow()
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("racer at %s: %w", at.name, err)
	}
	return r, nil
}

// publish asks for the key and reports whether it was given.
func (r *racer) publish(key string) (bool, error) {
	if err := r.conn.Send(r.id, "publish", key, "live"); err != nil {
		return false, err
	}
	for {
		ev, err := r.conn.Next()
		switch {
		case err != nil:
			return false, fmt.Errorf("publish at %s: %w", r.at.name, err)
		case ev.Kind != rtmp.EventStatus:
		case ev.Status.Code == rtmp.CodePublishStart:
			return true, nil
		case ev.Status.Code == rtmp.CodePublishBadName:
			return false, nil
		case ev.Status.Level == rtmp.LevelError:
			return false, fmt.Errorf("publish at %s: %s: %s", r.at.name, ev.Status.Code, ev.Status.Description)
		}
	}
}

// sendFor sends frames and fails if the server says anything against it.
func (r *racer) sendFor(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	said := make(chan error, 1)
	go func() {
		for {
			ev, err := r.conn.Next()
			if err == nil && ev.Kind == rtmp.EventStatus && ev.Status.Level == rtmp.LevelError {
				err = fmt.Errorf("%s: %s", ev.Status.Code, ev.Status.Description)
			}
			if err != nil {
				said <- err
				return
			}
		}
	}()
	tick := time.NewTicker(10 * ms)
	defer tick.Stop()
	for ts := uint32(0); ; ts += 10 {
		select {
		case err := <-said:
			return err
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := r.conn.WriteMessage(&rtmp.Message{Type: rtmp.Audio, StreamID: r.id, Timestamp: ts, Payload: []byte{0xaf, 1, 0x21}}); err != nil {
				return err
			}
		}
	}
}

func (r *racer) close() { r.nc.Close() }
