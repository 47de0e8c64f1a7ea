package stream

import (
	"cmp"
	"fmt"
)

// Epoch is the fencing number of a stream's ownership: (store incarnation,
// store revision at the claim), ordered by incarnation first. A store that was
// wiped or restored starts a higher incarnation, so it can never issue an epoch
// below one that it has issued before. The zero Epoch is below every claimed
// one and means "unconfirmed" (claimed while the store was away).
type Epoch struct {
	Incarnation uint64
	Revision    uint64
}

// Compare returns -1, 0 or +1.
func (e Epoch) Compare(o Epoch) int {
	return cmp.Or(cmp.Compare(e.Incarnation, o.Incarnation), cmp.Compare(e.Revision, o.Revision))
}

// Less reports whether e is fenced by o.
func (e Epoch) Less(o Epoch) bool { return e.Compare(o) < 0 }

// IsZero reports whether e is the unconfirmed epoch.
func (e Epoch) IsZero() bool { return e == Epoch{} }

// String returns "incarnation.revision", both decimal.
func (e Epoch) String() string { return fmt.Sprintf("%d.%d", e.Incarnation, e.Revision) }

// ParseEpoch reads what [Epoch.String] wrote.
func ParseEpoch(s string) (Epoch, error) {
	var e Epoch
	var rest string
	n, err := fmt.Sscanf(s+" ", "%d.%d%s", &e.Incarnation, &e.Revision, &rest)
	if n != 2 || e.String() != s {
		return Epoch{}, fmt.Errorf("epoch %q: want incarnation.revision: %w", s, err)
	}
	return e, nil
}

// MarshalText and UnmarshalText make an Epoch a string in JSON: its halves do
// not fit the 53 bits that a JSON reader keeps.
func (e Epoch) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

func (e *Epoch) UnmarshalText(b []byte) (err error) {
	*e, err = ParseEpoch(string(b))
	return err
}
