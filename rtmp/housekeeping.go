package rtmp

// housekeeping is what a Conn does for its peer unasked: acknowledge, answer
// pings, confirm the bandwidth. It is noted as messages come in and settled in
// one write before the next read, so a flood of requests in one read costs one
// answer of each kind.
type housekeeping struct {
	window   uint32 // the peer wants an acknowledgement every so many bytes; 0: none
	received uint32 // chunk stream bytes so far, modulo 2^32, as §5.4.3 counts
	acked    uint32

	pinged    bool
	ping      uint32
	confirm   bool
	confirmed uint32 // window told in answer to Set Peer Bandwidth
}

// take handles a control message; mine is false if the caller shall see it.
func (h *housekeeping) take(c *Conn, m *Message) (mine bool, err error) {
	ctl, err := ParseControl(m)
	if err != nil {
		return false, err
	}
	switch {
	case m.Type == Ack:
		c.peerAck.Store(ctl.Value)
	case m.Type == WindowAckSize:
		h.window = ctl.Value
		if h.window != 0 {
			h.window = max(h.window, MinWindowAck)
		}
	case m.Type == SetPeerBandwidth:
		// Not obeyed: TCP paces us. The answer is what peers wait for.
		h.confirm = h.confirm || ctl.Value != h.confirmed
		h.confirmed = ctl.Value
	case m.Type == UserControl && ctl.Event == PingRequest:
		h.pinged, h.ping = true, ctl.Value
	case m.Type == UserControl:
		return false, nil
	}
	return true, nil
}

// due reports whether an acknowledgement is: at half the window, so that a peer
// that stops at the window never does.
func (h *housekeeping) due() bool {
	return h.window != 0 && h.received-h.acked >= h.window/2
}

// queue puts what is due where the next write takes it along.
func (h *housekeeping) queue(c *Conn) {
	ack := h.due()
	if !ack && !h.pinged && !h.confirm {
		return
	}
	c.owed = true
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.queue = c.queue.room(64)
	p := c.queue.b
	if ack {
		h.acked = h.received
		p = AppendAck(p, h.received)
	}
	if h.pinged {
		h.pinged = false
		p = AppendUserControl(p, PingResponse, h.ping)
	}
	if h.confirm {
		h.confirm = false
		p = AppendWindowAckSize(p, h.confirmed)
	}
	c.queue.b = p
}
