package orders

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"weir/internal/control/cluster"
	"weir/internal/control/fleet"
)

// prefix of all keys.
const prefix = cluster.DefaultPrefix + "orders/"

// Order is what an operator wants of a backend, as fronts tell each other.
type Order struct {
	Name     string         `json:"name"`
	Operator fleet.Operator `json:"order,omitempty"`
	Weight   *float64       `json:"weight,omitempty"` // 0: the configured one; nil: it is an order of Operator
}

// entry is where an order is kept, and as what; "" takes one back.
func (o *Order) entry() (key, value string) {
	key, value = prefix+url.PathEscape(o.Name)+"/operator", string(o.Operator)
	if o.Weight != nil {
		key, value = prefix+url.PathEscape(o.Name)+"/weight", strconv.FormatFloat(*o.Weight, 'g', -1, 64)
	}
	if value == string(fleet.Ready) || value == "0" {
		value = ""
	}
	return key, value
}

// carryOut fails with a *fleet.UnknownError if there is no such backend.
func (o *Order) carryOut(b *fleet.Backends) error {
	switch {
	case o.Weight != nil && *o.Weight == 0:
		return b.ResetWeight(o.Name)
	case o.Weight != nil:
		return b.SetWeight(o.Name, *o.Weight)
	case o.Operator == fleet.Ready || o.Operator == fleet.Drain || o.Operator == fleet.Maint:
		return b.SetOperator(o.Name, o.Operator)
	}
	return fmt.Errorf("unknown order %q", o.Operator)
}

// remember gives the registry an entry of the store, also for a backend that it does not have yet.
func remember(b *fleet.Backends, key, value string) {
	name, what, _ := strings.Cut(strings.TrimPrefix(key, prefix), "/")
	name, err := url.PathUnescape(name)
	if err != nil {
		return
	}
	switch what {
	case "operator":
		switch o := fleet.Operator(value); o {
		case fleet.Drain, fleet.Maint:
			b.Remember(name, o)
		case "":
			b.Remember(name, fleet.Ready)
		}
	case "weight":
		w, err := strconv.ParseFloat(value, 64)
		if err == nil || value == "" {
			b.RememberWeight(name, w)
		}
	}
}
