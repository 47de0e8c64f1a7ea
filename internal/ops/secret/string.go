package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
)

// Mask stands where a secret would.
const Mask = "[redacted]"

// String is a secret text. The zero value is "not set". Printing, logging and
// encoding it in any way gives [Mask], or nothing when it is not set.
type String struct{ value string }

// New wraps s.
func New(s string) String { return String{s} }

// Reveal returns the secret. Callers hand it to the peer that it is meant for
// and keep no copy.
func (s String) Reveal() string { return s.value }

// IsSet reports whether there is a secret at all.
func (s String) IsSet() bool { return s.value != "" }

// Equal compares in a time that depends on neither value nor on how much of
// them agrees. An unset secret equals nothing, not even the empty text.
func (s String) Equal(other string) bool {
	// Hashing first makes the lengths equal, which hmac.Equal would otherwise
	// tell apart at once.
	a, b := sha256.Sum256([]byte(s.value)), sha256.Sum256([]byte(other))
	return hmac.Equal(a[:], b[:]) && s.value != ""
}

// String returns the mask.
func (s String) String() string {
	if s.value == "" {
		return ""
	}
	return Mask
}

// Format covers every verb of package fmt: %#v and %x would otherwise reach the
// field.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements [slog.LogValuer].
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText covers encoding/json, XML and map keys.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON covers encoders that do not ask for text.
func (s String) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalYAML covers the YAML encoders in use.
func (s String) MarshalYAML() (any, error) { return s.String(), nil }

// GobEncode covers encoding/gob.
func (s String) GobEncode() ([]byte, error) { return []byte(s.String()), nil }
