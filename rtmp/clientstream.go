package rtmp

import (
	"context"
	"errors"
)

// CreateStream makes a message stream and returns its id.
func (c *ClientConn) CreateStream(ctx context.Context) (uint32, error) {
	reply, err := c.Call(ctx, 0, "createStream")
	if err != nil {
		return 0, err
	}
	return streamID(reply)
}

// CreatePublishStream makes a message stream as encoders do, who say releaseStream
// and FCPublish with the name before: some servers wait for it. One write; what
// those two are answered is not waited for.
func (c *ClientConn) CreatePublishStream(ctx context.Context, name string) (uint32, error) {
	tx, ch := c.register()
	defer c.forget(tx)
	c.mu.Lock()
	c.last += 2
	release := c.last
	c.mu.Unlock()
	if err := c.commands(
		&Command{Name: "releaseStream", Transaction: release - 1, Args: []any{name}},
		&Command{Name: "FCPublish", Transaction: release, Args: []any{name}},
		&Command{Name: "createStream", Transaction: tx},
	); err != nil {
		return 0, err
	}
	reply, err := c.wait(ctx, ch)
	if err != nil {
		return 0, err
	}
	return streamID(reply)
}

// DeletePublishStream ends a publish as encoders do: FCUnpublish with the name,
// then deleteStream, in one write.
func (c *ClientConn) DeletePublishStream(streamID uint32, name string) error {
	c.mu.Lock()
	c.last++
	tx := c.last
	c.mu.Unlock()
	return c.commands(
		&Command{Name: "FCUnpublish", Transaction: tx, Args: []any{name}},
		&Command{Name: "deleteStream", Args: []any{float64(streamID)}},
	)
}

func streamID(r *Reply) (uint32, error) {
	if r.Error {
		return 0, &StatusError{parseStatus(r.Args)}
	}
	if len(r.Args) > 0 {
		if id := streamNumber(r.Args[0]); id != 0 {
			return id, nil
		}
	}
	return 0, errors.New("rtmp: createStream was answered without a stream id")
}

// Publish publishes on a message stream and returns the server's answer, which
// may be a refusal. typ is live, record or append; extra follows it.
func (c *ClientConn) Publish(ctx context.Context, streamID uint32, name, typ string, extra ...any) (Status, error) {
	return c.ask(ctx, streamID, "publish", append([]any{name, typ}, extra...)...)
}

// Play plays on a message stream and returns the server's answer, which may be a
// refusal. Events of the stream may come out of Next before Play returns. extra
// is start, duration, reset, and what follows.
func (c *ClientConn) Play(ctx context.Context, streamID uint32, name string, extra ...any) (Status, error) {
	return c.ask(ctx, streamID, "play", append([]any{name}, extra...)...)
}

// ask sends a stream's command and waits for the stream's next status, or for an
// error in answer to the command.
func (c *ClientConn) ask(ctx context.Context, id uint32, name string, args ...any) (Status, error) {
	tx, refused := c.register()
	defer c.forget(tx)
	ch := make(chan Status, 1)
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return Status{}, c.lost()
	}
	c.answers[id] = ch
	c.mu.Unlock()
	defer c.unask(id, ch)
	if err := c.command(&Command{Name: name, Transaction: tx, StreamID: id, Args: args}); err != nil {
		return Status{}, err
	}
	for {
		select {
		case st, ok := <-ch:
			if !ok {
				return Status{}, c.lost()
			}
			return st, nil
		case reply, ok := <-refused:
			if ok && reply.Error {
				return parseStatus(reply.Args), nil
			}
			refused = nil // a _result says nothing yet; a loss closes ch too
		case <-ctx.Done():
			return Status{}, context.Cause(ctx)
		}
	}
}

// unask takes back what ask waits for, if nobody else waits there since.
func (c *ClientConn) unask(id uint32, ch chan Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers[id] == ch {
		delete(c.answers, id)
	}
}

// DeleteStream ends a message stream.
func (c *ClientConn) DeleteStream(streamID uint32) error {
	return c.Send(0, "deleteStream", float64(streamID))
}
