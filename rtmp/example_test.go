package rtmp_test

import (
	"fmt"
	"net"

	"weir/rtmp"
)

// A Decoder takes bytes in pieces of any size.
func ExampleDecoder() {
	wire := rtmp.AppendMessage(nil, &rtmp.Message{Type: rtmp.Audio, StreamID: 1, Timestamp: 40, Payload: []byte("sound")}, 128)
	d := rtmp.NewDecoder(rtmp.Limits{})
	for _, piece := range [][]byte{wire[:3], wire[3:14], wire[14:]} {
		for len(piece) > 0 {
			n, m, err := d.Decode(piece)
			if err != nil {
				fmt.Println(err)
				return
			}
			piece = piece[n:]
			if m != nil {
				fmt.Printf("%v at %d ms: %s\n", m.Type, m.Timestamp, m.Payload)
			}
		}
	}
	// Output: Audio at 40 ms: sound
}

// The size is known before, so one buffer holds many messages.
func ExampleAppendMessage() {
	m := rtmp.Message{Type: rtmp.Video, StreamID: 1, Timestamp: 1 << 24, Payload: make([]byte, 300)}
	wire := rtmp.AppendMessage(nil, &m, 128)
	fmt.Println(len(wire), rtmp.MessageSize(300, m.Timestamp, 128))
	// Output: 326 326
}

// Two ends of a connection, without a conversation.
func ExampleConn() {
	a, b := net.Pipe()
	go func() {
		client := rtmp.NewConn(b, rtmp.Options{})
		if _, err := client.ClientHandshake(); err != nil {
			fmt.Println(err)
		}
		client.WriteMessage(&rtmp.Message{Type: rtmp.DataAMF0, StreamID: 1, Payload: []byte("hello")})
		client.Close()
	}()
	server := rtmp.NewConn(a, rtmp.Options{})
	info, err := server.ServerHandshake()
	fmt.Println(info.Digest, err)
	for {
		m, err := server.ReadMessage()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v %s\n", m.Type, m.Payload)
	}
	// Output:
	// true <nil>
	// DataAMF0 hello
	// EOF
}
