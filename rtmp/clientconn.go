package rtmp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"weir/amf"
)

// ClientConn is the client's side of the conversation. First Handshake and
// Connect (and CallNow, CreateStreamNow) on one goroutine; then one goroutine
// calls Next until it fails, and any other may Call, Publish, Play and write.
type ClientConn struct {
	*Conn

	mu      sync.Mutex
	last    float64 // transaction
	calls   map[float64]chan *Reply
	answers map[uint32]chan Status // waiting for the onStatus of a publish or play
	err     error                  // why Next ended

	ev Event // the reading goroutine's
}

// Reply is the answer to a call.
type Reply struct {
	Error bool // _error
	// Object is the command object and Args what follows it.
	Object any
	Args   []any
}

// ConnectResult is a server's answer to connect.
type ConnectResult struct{ Properties, Information amf.Object }

// ErrClosed: the server ended the conversation with a close command.
var ErrClosed = errors.New("rtmp: the server said close")

// NewClientConn makes a ClientConn of a dialled connection, which it owns. It
// takes messages of the full size: the server is the caller's choice.
func NewClientConn(nc net.Conn, o Options) *ClientConn {
	c := &ClientConn{Conn: NewConn(nc, o), calls: make(map[float64]chan *Reply), answers: make(map[uint32]chan Status)}
	c.SetMaxMessage(0)
	return c
}

// Handshake runs the client's handshake.
func (c *ClientConn) Handshake() error {
	_, err := c.ClientHandshake()
	return err
}

// Connect sets the chunk size and sends the command, in one write, and reads to
// its answer. A refusal is a *[StatusError].
func (c *ClientConn) Connect(r *Connect) (*ConnectResult, error) {
	tx, ch := c.register()
	defer c.forget(tx)
	cmd := Command{Name: "connect", Transaction: tx, Object: r.object(), Args: r.Args}
	if err := c.announce(nil, c.opt.ChunkSize, &Message{Type: CommandAMF0, Payload: AppendCommand(nil, &cmd)}); err != nil {
		return nil, err
	}
	reply, err := c.await(ch)
	if err != nil {
		return nil, err
	}
	res := &ConnectResult{}
	res.Properties, _ = amf.Properties(reply.Object)
	if len(reply.Args) > 0 {
		res.Information, _ = amf.Properties(reply.Args[0])
	}
	if reply.Error {
		return nil, &StatusError{parseStatus(reply.Args)}
	}
	c.house.queue(c.Conn) // the answer to the bandwidth goes with the next command
	return res, nil
}

// CallNow calls and reads to the answer; what else comes meanwhile is dropped.
// Only before Next is used. A refusal is a *[StatusError].
func (c *ClientConn) CallNow(name string, args ...any) (*Reply, error) {
	tx, ch := c.register()
	defer c.forget(tx)
	if err := c.command(&Command{Name: name, Transaction: tx, Args: args}); err != nil {
		return nil, err
	}
	reply, err := c.await(ch)
	if err == nil && reply.Error {
		return nil, &StatusError{parseStatus(reply.Args)}
	}
	return reply, err
}

// CreateStreamNow is CreateStream by CallNow.
func (c *ClientConn) CreateStreamNow() (uint32, error) {
	reply, err := c.CallNow("createStream")
	if err != nil {
		return 0, err
	}
	return streamID(reply)
}

func (c *ClientConn) await(ch chan *Reply) (*Reply, error) {
	for {
		select {
		case reply := <-ch:
			return reply, nil
		default:
		}
		if _, err := c.step(); err != nil {
			return nil, err
		}
	}
}

// register opens a transaction.
func (c *ClientConn) register() (float64, chan *Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	ch := make(chan *Reply, 1)
	if c.err != nil {
		close(ch)
	} else {
		c.calls[c.last] = ch
	}
	return c.last, ch
}

func (c *ClientConn) forget(tx float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, tx)
}

// Next returns what the server says. It completes calls as their answers come.
// When it fails, all waiting calls fail too.
func (c *ClientConn) Next() (Event, error) {
	for {
		up, err := c.step()
		if err != nil {
			c.fail(err)
			return Event{}, err
		}
		if up {
			return c.ev, nil
		}
	}
}

func (c *ClientConn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	for _, ch := range c.calls {
		close(ch)
	}
	for _, ch := range c.answers {
		close(ch)
	}
	c.calls, c.answers = nil, nil
}

// step reads one message; up means that c.ev is for the caller of Next.
func (c *ClientConn) step() (up bool, err error) {
	m, err := c.ReadMessage()
	if err != nil {
		return false, err
	}
	c.ev = Event{StreamID: m.StreamID}
	switch {
	case m.Type.IsMedia():
		c.ev.Kind, c.ev.Message = EventMedia, m
		return true, nil
	case m.Type == UserControl:
		if c.ev.Control, err = ParseControl(m); err != nil {
			return false, err
		}
		c.ev.Kind = EventUserControl
		return true, nil
	case m.Type.IsCommand():
		cmd, err := ParseCommand(m, c.opt.Limits.amf())
		if err != nil {
			return false, err
		}
		return c.take(&cmd)
	}
	return false, nil
}

func (c *ClientConn) take(cmd *Command) (up bool, err error) {
	switch cmd.Name {
	case "_result", "_error":
		c.mu.Lock()
		ch := c.calls[cmd.Transaction]
		delete(c.calls, cmd.Transaction)
		c.mu.Unlock()
		if ch != nil {
			ch <- &Reply{Error: cmd.Name == "_error", Object: cmd.Object, Args: cmd.Args}
		}
		return false, nil
	case "onStatus":
		st := parseStatus(append([]any{cmd.Object}, cmd.Args...))
		if st.Code != CodePlayReset { // which comes before the answer
			c.answered(cmd.StreamID, st)
		}
		c.ev.Kind, c.ev.Status = EventStatus, &st
		return true, nil
	case "close":
		return false, ErrClosed
	}
	c.ev.Kind, c.ev.Command = EventCommand, cmd
	return true, nil
}

// answered gives a status to the publish or play that waits for it.
func (c *ClientConn) answered(id uint32, st Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == 0 && len(c.answers) == 1 {
		for id = range c.answers { // some servers name no stream
		}
	}
	if ch := c.answers[id]; ch != nil {
		delete(c.answers, id)
		ch <- st
	}
}

// Call sends a command and returns its answer; a goroutine must be in Next.
func (c *ClientConn) Call(ctx context.Context, streamID uint32, name string, args ...any) (*Reply, error) {
	tx, ch := c.register()
	defer c.forget(tx)
	if err := c.command(&Command{Name: name, Transaction: tx, StreamID: streamID, Args: args}); err != nil {
		return nil, err
	}
	return c.wait(ctx, ch)
}

func (c *ClientConn) wait(ctx context.Context, ch chan *Reply) (*Reply, error) {
	select {
	case reply, ok := <-ch:
		if !ok {
			return nil, c.lost()
		}
		return reply, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *ClientConn) lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Errorf("rtmp: connection lost: %w", c.err)
}

// Send sends a command that wants no answer. The command object is null; args
// follow it.
func (c *ClientConn) Send(streamID uint32, name string, args ...any) error {
	return c.command(&Command{Name: name, StreamID: streamID, Args: args})
}

// Ping asks the server for a sign of life; the answer shows in BytesIn.
func (c *ClientConn) Ping(timestamp uint32) error {
	return c.WriteRaw(AppendUserControl(nil, PingRequest, timestamp))
}

func (c *ClientConn) command(cmd *Command) error {
	return c.WriteMessage(&Message{Type: CommandAMF0, StreamID: cmd.StreamID, Payload: AppendCommand(nil, cmd)})
}

func (c *ClientConn) commands(cmds ...*Command) error {
	ms := make([]Message, len(cmds))
	for i, cmd := range cmds {
		ms[i] = Message{Type: CommandAMF0, StreamID: cmd.StreamID, Payload: AppendCommand(nil, cmd)}
	}
	return c.WriteMessages(ms)
}
