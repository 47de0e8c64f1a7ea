package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"time"

	"weir/internal/control/store"
	"weir/internal/stream"
)

// streamValue is a stream's record as stored.
type streamValue struct {
	Owner string `json:"owner"`
	// Claim is random, one a claim: whose answer was lost recognizes its own deed by it.
	Claim       string `json:"claim"`
	Incarnation uint64 `json:"incarnation"`
	// Revision of the claim, written by later updates. The claim itself cannot know it
	// beforehand and leaves it 0: then it is the revision of the key.
	Revision uint64    `json:"revision,omitempty"`
	Since    time.Time `json:"since"`
	Facts    Facts     `json:"facts"`
}

func (v *streamValue) epoch(kv store.KV) stream.Epoch {
	e := stream.Epoch{Incarnation: v.Incarnation, Revision: v.Revision}
	if e.Revision == 0 {
		e.Revision = uint64(kv.Rev)
	}
	return e
}

func (v *streamValue) record(name stream.Name, kv store.KV) StreamRecord {
	return StreamRecord{Name: name, Owner: v.Owner, Epoch: v.epoch(kv), Since: v.Since, Facts: v.Facts}
}

func parseStream(kv store.KV) (v streamValue, ok bool) {
	return v, json.Unmarshal(kv.Value, &v) == nil && v.Owner != ""
}

// encode cannot fail: the types of this package hold nothing that JSON refuses, and
// non-finite loads are cleaned before.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("cluster: encoding a record: " + err.Error())
	}
	return b
}

// randomID names a process or a claim.
func randomID() string {
	var b [12]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
