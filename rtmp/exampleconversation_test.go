package rtmp_test

import (
	"context"
	"fmt"
	"net"

	"weir/rtmp"
)

// A server with one publisher and one player, on two connections.
func ExampleServerConn() {
	// Each connection has one goroutine in Next. This server hands the publisher's
	// messages to whoever plays; a real one keeps a log.
	frames := make(chan rtmp.Message)
	serve := func(nc net.Conn) {
		defer nc.Close()
		s := rtmp.NewServerConn(nc, rtmp.Options{})
		if s.Handshake() != nil {
			return
		}
		if _, err := s.ReadConnect(); err != nil || s.AcceptConnect(nil) != nil {
			return
		}
		for {
			ev, err := s.Next()
			if err != nil {
				return
			}
			switch ev.Kind {
			case rtmp.EventPublish:
				s.SetMaxMessage(0) // known now: messages may have the full size
				err = s.AcceptPublish(ev.Publish, nil)
			case rtmp.EventMedia:
				m := *ev.Message // valid until Next
				m.Payload = append([]byte(nil), m.Payload...)
				frames <- m
			case rtmp.EventPlay:
				// The answer and the first frame go out in one write.
				b := s.AppendAcceptPlay(nil, ev.Play, nil)
				m := <-frames
				m.StreamID = ev.StreamID
				err = s.WriteRaw(rtmp.AppendMessage(b, &m, s.ChunkSize()))
			}
			if err != nil {
				return
			}
		}
	}
	dial := func() *rtmp.ClientConn {
		a, b := net.Pipe()
		go serve(a)
		c := rtmp.NewClientConn(b, rtmp.Options{})
		if err := c.Handshake(); err != nil {
			panic(err)
		}
		if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://example.org/live"}); err != nil {
			panic(err)
		}
		return c
	}
	ctx := context.Background()

	publisher := dial()
	defer publisher.Close()
	id, err := publisher.CreateStreamNow()
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			if _, err := publisher.Next(); err != nil {
				return
			}
		}
	}()
	st, err := publisher.Publish(ctx, id, "alice", "live")
	fmt.Println(st.Code, err)
	go publisher.WriteMessage(&rtmp.Message{Type: rtmp.Video, StreamID: id, Timestamp: 40, Payload: []byte("a picture")})

	player := dial()
	defer player.Close()
	if id, err = player.CreateStreamNow(); err != nil {
		panic(err)
	}
	player.Send(id, "play", "alice") // its answer comes out of Next
	for {
		ev, err := player.Next()
		if err != nil {
			panic(err)
		}
		if ev.Kind == rtmp.EventStatus {
			fmt.Println(ev.Status.Code)
		}
		if ev.Kind == rtmp.EventMedia && ev.Message.Type == rtmp.Video {
			fmt.Printf("%d ms: %s\n", ev.Message.Timestamp, ev.Message.Payload)
			return
		}
	}
	// Output:
	// NetStream.Publish.Start <nil>
	// NetStream.Play.Reset
	// NetStream.Play.Start
	// 40 ms: a picture
}

// Publish to a server, as an encoder does.
func ExampleClientConn() {
	a, b := net.Pipe()
	go politeServer(a)

	c := rtmp.NewClientConn(b, rtmp.Options{})
	defer c.Close()
	if err := c.Handshake(); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := c.Connect(&rtmp.Connect{App: "live", TCURL: "rtmp://example.org/live"}); err != nil {
		fmt.Println(err) // a *rtmp.StatusError if the server said no
		return
	}
	// One goroutine reads; any may call from here on.
	go func() {
		for {
			if _, err := c.Next(); err != nil {
				return
			}
		}
	}()
	ctx := context.Background()
	id, err := c.CreatePublishStream(ctx, "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	st, err := c.Publish(ctx, id, "alice", "live")
	fmt.Println(id, st.Code, err)
	c.WriteMessage(&rtmp.Message{Type: rtmp.Audio, StreamID: id, Payload: []byte("sound")})
	c.DeletePublishStream(id, "alice")
	// Output: 1 NetStream.Publish.Start <nil>
}

// politeServer accepts everything.
func politeServer(nc net.Conn) {
	defer nc.Close()
	s := rtmp.NewServerConn(nc, rtmp.Options{})
	if s.Handshake() != nil {
		return
	}
	if _, err := s.ReadConnect(); err != nil || s.AcceptConnect(nil) != nil {
		return
	}
	for {
		ev, err := s.Next()
		if err == nil && ev.Kind == rtmp.EventPublish {
			err = s.AcceptPublish(ev.Publish, nil)
		}
		if err != nil {
			return
		}
	}
}
