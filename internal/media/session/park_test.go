package session_test

import (
	"context"
	"testing"

	"weir/internal/media/session"
	"weir/rtmp"
)

// parkedPlayer notes what it is told.
type parkedPlayer struct{ told chan string }

func (p *parkedPlayer) Pause(on bool) {
	if on {
		p.told <- "pause"
	} else {
		p.told <- "resume"
	}
}
func (p *parkedPlayer) Receive(audio, video bool) { p.told <- "receive" }
func (p *parkedPlayer) Leave()                    { p.told <- "leave" }

// A client is heard before its play has started, while it starts, and when its
// connection has no goroutine.
func TestClientIsHeardHoweverItsConnectionIsRead(t *testing.T) {
	plays := make(chan context.Context, 4)
	goOn := make(chan struct{})
	player := &parkedPlayer{told: make(chan string, 16)}
	h, dial := tcp(t, func(ctx context.Context, p *session.Play) (session.Player, error) {
		plays <- ctx
		<-goOn
		return player, p.Conn.AcceptPlay(p.Request, nil)
	})
	c, publishing := dial("x")
	pub := <-h.come
	c.Send(publishing, "closeStream")
	<-pub.closed
	id, err := c.CreateStreamNow()
	if err != nil {
		t.Fatal(err)
	}
	// The pause comes along with the play, and is for a player that is not there yet.
	c.Send(id, "play", "x")
	c.Send(id, "pause", true, 0.0)
	<-plays
	close(goOn)
	hear(t, c, rtmp.CodePlayStart)
	if got := <-player.told; got != "pause" {
		t.Errorf("the player was told %q", got)
	}
	for _, on := range []bool{false, true, false} { // each wakes a parked connection
		c.Send(id, "pause", on, 0.0)
		if got := <-player.told; got != map[bool]string{true: "pause", false: "resume"}[on] {
			t.Errorf("pause %v: the player was told %q", on, got)
		}
	}
	c.Close()
	if got := <-player.told; got != "leave" {
		t.Errorf("at the end the player was told %q", got)
	}
}

// A client that leaves ends the wait for its stream.
func TestParkedClientGivesUpItsWait(t *testing.T) {
	plays := make(chan context.Context)
	h, dial := tcp(t, func(ctx context.Context, p *session.Play) (session.Player, error) {
		plays <- ctx
		<-ctx.Done()
		return nil, ctx.Err()
	})
	c, publishing := dial("x")
	pub := <-h.come
	c.Send(publishing, "closeStream")
	<-pub.closed
	id, err := c.CreateStreamNow()
	if err != nil {
		t.Fatal(err)
	}
	c.Send(id, "play", "y")
	ctx := <-plays
	c.Close()
	<-ctx.Done()
}
