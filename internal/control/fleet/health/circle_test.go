package health

import (
	"fmt"
	"slices"
	"testing"

	"weir/internal/trail"
)

// Of more fronts than a mark has room for it is always the same that are named: else a circle with one of
// them would come and go.
func TestTheSameFrontsAreSaidEachTime(t *testing.T) {
	c := &Checker{targets: map[string]*target{"server": {}}}
	var want trail.Trail
	for i := range 2 * trail.Most {
		name := fmt.Sprintf("front%03d", i)
		c.targets[name] = &target{front: trail.NewID(name)}
		if i < trail.Most-1 {
			want = append(want, trail.NewID(name))
		}
	}
	for range 10 {
		if got := c.Fronts(); !slices.Equal(got, want) {
			t.Fatalf("%d fronts, want the first %d by name", len(got), len(want))
		}
	}
	if said := trail.Parse(append(trail.Trail{trail.NewID("self")}, c.Fronts()...).Mark()); len(said) != trail.Most {
		t.Errorf("the mark says %d", len(said))
	}
}
