package amf

// traits is the shape of a class: an object states it or refers to it.
type traits struct {
	class          string
	externalizable bool
	dynamic        bool
	names          []string // of the sealed members
}

// externalizables are the classes whose external form is known: one AMF3 value.
var externalizables = map[string]bool{
	"flex.messaging.io.ArrayCollection": true,
	"flex.messaging.io.ArrayList":       true,
	"flex.messaging.io.ObjectProxy":     true,
}

// object3 reads an object (§3.12) whose flags, without the lowest, are u:
// bit 0 traits inline, bit 1 externalizable, bit 2 dynamic, then the number of
// sealed members.
func (d *Decoder) object3(v value, u uint32) (any, error) {
	t, err := d.traits3(v, u)
	if err != nil {
		return nil, err
	}
	f, err := d.enter(v, &d.refs3)
	if err != nil {
		return nil, err
	}
	if t.externalizable {
		x, err := d.value3()
		if err != nil {
			return nil, err
		}
		e := Externalizable{Class: t.class, Value: x}
		d.leave(f, e)
		return e, nil
	}
	ps := Object{}
	for _, name := range t.names {
		// Paid for again with every object: writing the value out will repeat it.
		if err := d.spend(v, 0, len(name)); err != nil {
			return nil, err
		}
		if ps, err = d.member3(ps, name); err != nil {
			return nil, err
		}
	}
	if t.dynamic {
		if ps, err = d.members3(v, ps); err != nil {
			return nil, err
		}
	}
	var x any = ps
	if t.class != "" {
		if err := d.spend(v, 0, len(t.class)); err != nil {
			return nil, err
		}
		x = TypedObject{Class: t.class, Properties: ps}
	}
	d.leave(f, x)
	return x, nil
}

// traits3 reads or looks up the shape of an object.
func (d *Decoder) traits3(v value, u uint32) (traits, error) {
	if u&1 == 0 {
		if int(u>>1) >= len(d.traits) {
			return traits{}, d.fail(v, ReasonReference)
		}
		return d.traits[u>>1], nil
	}
	class, err := d.string3(v)
	if err != nil {
		return traits{}, err
	}
	t := traits{class: class, externalizable: u&2 != 0}
	if t.externalizable {
		if !externalizables[class] {
			return traits{}, d.fail(v, ReasonExternalizable)
		}
		d.traits = append(d.traits, t)
		return t, nil
	}
	t.dynamic = u&4 != 0
	n := int(u >> 3)
	if n > d.rest() {
		return traits{}, d.fail(v, ReasonTruncated)
	}
	// The names are paid for as values, since each costs memory of its own here;
	// after that their number is within the budget.
	if err := d.spend(v, n, 0); err != nil {
		return traits{}, err
	}
	for range n {
		name, err := d.string3(v)
		if err != nil {
			return traits{}, err
		}
		t.names = append(t.names, name)
	}
	d.traits = append(d.traits, t)
	return t, nil
}
