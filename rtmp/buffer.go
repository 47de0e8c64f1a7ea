package rtmp

import "sync"

// Buffers are borrowed from pools shared by all connections: a connection holds
// memory only for what is in flight on it. Quarters below 64 KiB, halves above:
// a message that grows through the classes copies at most its own length again,
// and never holds more than twice what arrived once it is past 64 KiB.
var bufferClasses = [...]int{
	1 << 10, 4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10,
	1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20,
}

var bufferPools [len(bufferClasses)]sync.Pool

// buffer is a borrowed slice. Who borrows it releases it once, and forgets it.
type buffer struct {
	b     []byte
	class int // index into bufferClasses; -1 for a size beyond them
}

// borrow returns an empty buffer of capacity n or more.
func borrow(n int) *buffer {
	for class, size := range bufferClasses {
		if size < n {
			continue
		}
		if b, ok := bufferPools[class].Get().(*buffer); ok {
			return b
		}
		return &buffer{b: make([]byte, 0, size), class: class}
	}
	return &buffer{b: make([]byte, 0, n), class: -1}
}

// release gives b back; a nil b is nothing.
func (b *buffer) release() {
	if b == nil || b.class < 0 {
		return
	}
	b.b = b.b[:0]
	bufferPools[b.class].Put(b)
}

// grow returns a buffer with b's content and room for n bytes in all.
func (b *buffer) grow(n int) *buffer {
	if b == nil {
		return borrow(n)
	}
	if n <= cap(b.b) {
		return b
	}
	wider := borrow(n)
	wider.b = append(wider.b, b.b...)
	b.release()
	return wider
}

// room returns a buffer with b's content and room for n bytes more.
func (b *buffer) room(n int) *buffer {
	if b != nil {
		n += len(b.b)
	}
	return b.grow(n)
}
