package front

import (
	"fmt"

	"weir/amf"
	"weir/rtmp"
)

// script is what a client has said up to its publish or play, cut where a server's
// answer is to be waited for. All of it is the client's own bytes, so that the server
// remembers of its chunk streams what the client does.
type script struct {
	said                  []byte
	connectEnd, createEnd int // offsets in said
	connectTx, createTx   float64
	streamID              uint32
	chunkSize             int // that it set last; 0: none
	publish               bool
}

// errScript says why a client's words cannot be said again.
type errScript struct{ why string }

func (e *errScript) Error() string { return "the client's words: " + e.why }

// parseScript cuts what a client said. It must have made one message stream, with
// which id is for its publish or play.
func parseScript(said []byte, id uint32) (*script, error) {
	s := &script{said: said, streamID: id}
	d := rtmp.NewDecoder(rtmp.Limits{})
	defer d.Release()
	created := 0
	for at := 0; at < len(said); {
		n, m, err := d.Decode(said[at:])
		at += n
		if err != nil {
			return nil, &errScript{err.Error()}
		}
		if m != nil && m.Type == rtmp.SetChunkSize {
			s.chunkSize = d.ChunkSize()
		}
		if m == nil || !m.Type.IsCommand() {
			continue
		}
		cmd, err := rtmp.ParseCommand(m, amf.Limits{})
		if err != nil {
			return nil, &errScript{err.Error()}
		}
		switch cmd.Name {
		case "connect":
			s.connectEnd, s.connectTx = at, cmd.Transaction
		case "createStream":
			created++
			s.createEnd, s.createTx = at, cmd.Transaction
		case "publish":
			s.publish = true
		}
	}
	switch {
	case s.connectEnd == 0 || s.createEnd == 0:
		return nil, &errScript{"no connect, or no createStream"}
	case created != 1:
		return nil, &errScript{fmt.Sprintf("%d message streams", created)}
	case s.createTx == s.connectTx:
		return nil, &errScript{"two commands of one transaction"}
	}
	return s, nil
}
