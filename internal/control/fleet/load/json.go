package load

import (
	"encoding/json"
	"errors"
	"io"
)

// decoder reads JSON of a stranger. The library scans a run of blanks from its beginning again with every read, so
// 8 MiB of them would cost a second: no server writes runs of more than a few.
func decoder(r io.Reader) *json.Decoder { return json.NewDecoder(&blanks{r: r}) }

// blanks fails where a run of blanks is longer than maxBlanks.
type blanks struct {
	r   io.Reader
	run int
}

func (b *blanks) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	for _, c := range p[:n] {
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			b.run = 0
		} else if b.run++; b.run > maxBlanks {
			return 0, garbage("the answer is blank for more than %d bytes", maxBlanks)
		}
	}
	return n, err
}

// member reads the value of one member of an object.
type member func(*json.Decoder) error

// object reads an object, member by member as they come: those that are named by their readers, others past.
// Lists are read item by item (see items), so nothing of a size that a stranger chooses is held.
func object(d *json.Decoder, members map[string]member) error {
	if err := delim(d, '{'); err != nil {
		return err
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return asJSON(err)
		}
		key, _ := t.(string)
		if read := members[key]; read != nil {
			err = read(d)
		} else {
			err = past(d)
		}
		if err != nil {
			return asJSON(err)
		}
	}
	return delim(d, '}')
}

// items reads an array; each one reads an item and counts towards the limit.
func items(limit int, each member) member {
	return func(d *json.Decoder) error {
		if err := delim(d, '['); err != nil {
			return err
		}
		for n := 0; d.More(); n++ {
			if n == limit {
				return &Fault{Word: TooLong, Text: "a page of its list holds more than was asked for"}
			}
			if err := each(d); err != nil {
				return asJSON(err)
			}
		}
		return delim(d, ']')
	}
}

// into decodes a value that is small, or bounded by the page.
func into(v any) member { return func(d *json.Decoder) error { return d.Decode(v) } }

// past reads a value that nobody wants.
func past(d *json.Decoder) error {
	for depth := 0; ; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxJSONDepth {
				return garbage("it is nested more than %d deep", maxJSONDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func delim(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return asJSON(err)
	case t != want:
		return garbage("the answer is not the JSON that was expected")
	}
	return nil
}

// asJSON names what is wrong with a text that is no JSON.
func asJSON(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return garbage("the answer breaks off")
	case errors.As(err, &syntax):
		return garbage("the answer is not JSON")
	case errors.As(err, &kind):
		return garbage("%q is not what it should be", shorten(kind.Field))
	}
	return err
}
