package load

import (
	"bufio"
	"bytes"
	"io"
)

// scanner reads the elements of an XML document as they come. Why not encoding/xml: it refuses a whole document
// for one byte that XML does not allow, and nginx-rtmp copies into its own whatever a client called itself, so
// any viewer could blind the balancer; and a tag's attributes would cost 25 times their
// bytes. This one looks at tags and texts only, holds one of each, and expands nothing: a document that declares
// entities is refused.
type scanner struct {
	r     *bufio.Reader
	depth int
	path  [maxDepth]tagName
	text  []byte // of the innermost element, since its tag or that of its last child
	empty bool   // the tag was <a/>: its end comes next
	tag   [maxTagName]byte
}

type tagName struct {
	n int
	b [maxTagName]byte
}

// found is what next found.
type found int

const (
	opened found = iota // path has the element now
	ended               // path still has it; its text is complete
)

func newScanner(r io.Reader) *scanner {
	return &scanner{r: bufio.NewReaderSize(r, 16<<10), text: make([]byte, 0, maxText)}
}

// at is the name of the element at a depth, 1 for the root.
func (s *scanner) at(depth int) []byte {
	t := &s.path[depth-1]
	return t.b[:t.n]
}

// leave takes the element that has ended out of the path.
func (s *scanner) leave() {
	s.depth--
	s.text = s.text[:0]
}

// next reads to the next tag. After an element has ended, call leave. io.EOF comes only outside of
// all elements.
func (s *scanner) next() (found, error) {
	if s.empty {
		s.empty = false
		return ended, nil
	}
	for {
		text, err := s.r.ReadSlice('<')
		tag := err == nil
		if tag {
			text = text[:len(text)-1]
		}
		if s.depth > 0 {
			s.text = append(s.text, text[:min(len(text), maxText-len(s.text))]...) // longer ones are cut: no figure or name is that long
		}
		switch {
		case tag:
			if e, is, err := s.markup(); is || err != nil {
				return e, err
			}
		case err == bufio.ErrBufferFull: // the text goes on
		case err == io.EOF && s.depth > 0:
			return 0, garbage("the answer breaks off within <%s>", s.at(s.depth))
		default:
			return 0, err
		}
	}
}

// markup reads what follows a '<'; is, if that is a tag.
func (s *scanner) markup() (e found, is bool, err error) {
	c, err := s.byte()
	if err != nil {
		return 0, false, err
	}
	switch c {
	case '?':
		return 0, false, s.skip("?>")
	case '!':
		return 0, false, s.declaration()
	case '/':
		name, _, err := s.name(0)
		if err != nil {
			return 0, false, err
		}
		if s.depth == 0 || !bytes.Equal(name, s.at(s.depth)) {
			return 0, false, garbage("it is not well-formed XML: </%s> ends nothing", printable(name))
		}
		return ended, true, nil
	}
	name, empty, err := s.name(c)
	if err != nil {
		return 0, false, err
	}
	if s.depth == maxDepth {
		return 0, false, garbage("it is nested more than %d deep", maxDepth)
	}
	t := &s.path[s.depth]
	t.n = copy(t.b[:], name)
	s.depth++
	s.text, s.empty = s.text[:0], empty
	return opened, true, nil
}

// name reads a tag to its '>': the name, which begins with c unless that is 0; attributes are passed over.
func (s *scanner) name(c byte) (name []byte, empty bool, err error) {
	name = s.tag[:0]
	switch {
	case c == '>' || c == '<' || c <= ' ' && c != 0:
		return nil, false, garbage("it is not well-formed XML: a tag without a name")
	case c != 0:
		name = append(name, c)
	}
	inName, quote, last := true, byte(0), c
	for range maxTag {
		c, err := s.byte()
		switch {
		case err != nil:
			return nil, false, err
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '>':
			if len(name) == 0 {
				return nil, false, garbage("it is not well-formed XML: a tag without a name")
			}
			return name, last == '/', nil
		case c == '<':
			return nil, false, garbage("it is not well-formed XML: '<' in a tag")
		case c == '"' || c == '\'':
			quote = c
		case c == '/' || c <= ' ':
			inName = false
		case inName && len(name) == maxTagName:
			return nil, false, garbage("a tag's name is longer than %d bytes", maxTagName)
		case inName:
			name = append(name, c)
		}
		last = c
	}
	return nil, false, garbage("a tag is longer than %d bytes", maxTag)
}

// declaration reads what begins with "<!".
func (s *scanner) declaration() error {
	c, err := s.byte()
	if err != nil {
		return err
	}
	if c == '-' {
		if c, err = s.byte(); err == nil && c == '-' {
			return s.skip("-->")
		}
	}
	if err != nil {
		return err
	}
	return garbage("it has a declaration (<!%s…), which nginx-rtmp never sends", printable([]byte{c}))
}

// skip reads to the end of a comment or instruction.
func (s *scanner) skip(to string) error {
	matched := 0
	for matched < len(to) {
		c, err := s.byte()
		if err != nil {
			return err
		}
		switch {
		case c == to[matched]:
			matched++
		case matched == len(to)-1 && c == to[matched-1]: // "--->": the last two still match
		case c == to[0]:
			matched = 1
		default:
			matched = 0
		}
	}
	return nil
}

func (s *scanner) byte() (byte, error) {
	c, err := s.r.ReadByte()
	if err == io.EOF {
		err = garbage("the answer breaks off within a tag")
	}
	return c, err
}
