package deadline

import (
	"testing"
	"time"
)

func TestWhoAsksOutwaitsWhoAnswers(t *testing.T) {
	const (
		connecting = 500 * time.Millisecond // to an origin that is well: TCP, handshake, proof, under load
		between    = 100 * time.Millisecond // what is done between one wait and the next, under load
	)
	for _, o := range []struct {
		what        string
		asks, needs time.Duration
	}{
		{"a claim has time for a transaction and for the owner's answer before the last transaction", Begin, Store + Owner + between},
		{"a claim has time for the last transaction", Claim, Begin + Store},
		{"a push outwaits the origin's claim", Push, connecting + Claim},
		{"a search has time for another server to be connected to after one that has taken all it may", Search, Push + Dial},
		{"a client outwaits the search", 10 * time.Second, Search},
	} {
		if o.asks < o.needs {
			t.Errorf("%s: %v against %v", o.what, o.asks, o.needs)
		}
	}
}
