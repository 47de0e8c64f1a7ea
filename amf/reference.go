package amf

// ref is an entry of a reference table: a container or a shared value, and what
// it cost, since a reference to it costs the same again. An entry that is not done
// is a container whose members are still being read.
type ref struct {
	value  any
	done   bool
	values int // within it
	bytes  int
	height int // containers above one another, itself included; 0 for text
}

// frame is the state to be restored when a container is complete.
type frame struct {
	table   *[]ref
	index   int
	values  int
	bytes   int
	deepest int
}

// enter begins a container: one level down, one entry in its reference table.
func (d *Decoder) enter(v value, table *[]ref) (frame, error) {
	if d.depth >= d.lim.Depth {
		return frame{}, d.fail(v, ReasonDepth)
	}
	f := frame{table: table, index: len(*table), values: d.values, bytes: d.bytes, deepest: d.deepest}
	*table = append(*table, ref{})
	d.depth++
	d.deepest = d.depth
	return f, nil
}

// leave completes the container that enter began. It is not called after an
// error, which ends the Decoder anyway.
func (d *Decoder) leave(f frame, v any) {
	(*f.table)[f.index] = ref{
		value:  v,
		done:   true,
		values: d.values - f.values,
		bytes:  d.bytes - f.bytes,
		height: d.deepest - d.depth + 1,
	}
	d.depth--
	d.deepest = max(d.deepest, f.deepest)
}

// share enters a value without members (text, date, numbers) into the AMF3 table.
func (d *Decoder) share(v any, bytes int) any {
	d.refs3 = append(d.refs3, ref{value: v, done: true, bytes: bytes})
	return v
}

// resolve returns what a reference refers to, paid for as if it had been sent
// again: a table of ten objects that each contain the one before it twice
// would otherwise unfold into a thousand.
func (d *Decoder) resolve(v value, table []ref, i int) (any, error) {
	if i >= len(table) {
		return nil, d.fail(v, ReasonReference)
	}
	r := &table[i]
	if !r.done {
		return nil, d.fail(v, ReasonCycle)
	}
	if r.height > d.lim.Depth-d.depth {
		return nil, d.fail(v, ReasonDepth)
	}
	if err := d.spend(v, r.values, r.bytes); err != nil {
		return nil, err
	}
	d.deepest = max(d.deepest, d.depth+r.height)
	return r.value, nil
}
