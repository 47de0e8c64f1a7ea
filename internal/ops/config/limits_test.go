package config

import (
	"os"
	"reflect"
	"testing"
	"time"

	"weir/internal/ops/event"
	"weir/rtmp"
)

// docs is docs/limits.md, which "make docs" writes.
const docs = "../../../docs/limits.md"

func TestLimitsTableAndFieldsAgree(t *testing.T) {
	rows := map[string]Limit{}
	for _, row := range LimitTable {
		if row.Name == "" || row.Default == nil || row.Stops == "" {
			t.Errorf("row %q is incomplete", row.Name)
		}
		if row.Key == "" {
			if row.Least != nil || row.Most != nil {
				t.Errorf("%s: a range but no key", row.Name)
			}
			continue
		}
		if _, twice := rows[row.Key]; twice {
			t.Errorf("%s twice", row.Key)
		}
		rows[row.Key] = row
		if n := number(row.Default); n < number(row.Least) || n > number(row.Most) {
			t.Errorf("%s: the default %s is out of its own range", row.Key, row.Default)
		}
	}
	typ := reflect.TypeFor[Limits]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		row, ok := rows[f.Tag.Get("yaml")]
		if !ok {
			t.Errorf("field %s has no row", f.Name)
			continue
		}
		want := reflect.TypeOf(row.Default)
		if want == reflect.TypeFor[Count]() {
			want = reflect.TypeFor[int]()
		}
		if f.Type != want {
			t.Errorf("%s is a %s and its default a %T", f.Name, f.Type, row.Default)
		}
	}
	if typ.NumField() != len(rows) {
		t.Errorf("%d fields, %d rows with keys", typ.NumField(), len(rows))
	}
}

func TestEveryLimitHasACounter(t *testing.T) {
	rows := map[event.Reason]bool{}
	for _, row := range LimitTable {
		info, ok := row.Reason.Lookup()
		if !ok || !info.Limit {
			t.Errorf("%s: %q is not the reason of a limit", row.Name, row.Reason)
		}
		rows[row.Reason] = true
	}
	for info := range event.Reasons() {
		if info.Limit && !rows[info.Reason] && info.Reason != event.DescriptorsExhaust { // the kernel's limit
			t.Errorf("%q counts as a limit and is in no row", info.Reason)
		}
	}
}

func TestDesignDefaults(t *testing.T) {
	want := Limits{
		Handshake: 5 * time.Second, Command: 10 * time.Second, FirstMedia: 10 * time.Second,
		PublisherSilence: 5 * time.Second, WriteStall: 10 * time.Second,
		Message: 8 * MiB, CommandBytes: 64 * KiB, PreAuth: 16 * KiB, ChunkStreams: 64, NetStreams: 8,
		GOPTime: 10 * time.Second, GOPBytes: 16 * MiB, ViewerLag: 2 * time.Second,
		ConnectionsPerAddr: 256,
	}
	if got := DefaultLimits(); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if w := want.Wire(); w.Message != rtmp.MaxMessageBytes || w.NetStreams != rtmp.MaxNetStreams || w.Commands != rtmp.CommandTimeout {
		t.Errorf("Wire() = %+v", w)
	}
}

func TestLimitsDocIsCurrent(t *testing.T) {
	got, err := os.ReadFile(docs)
	if err != nil || string(got) != LimitsDoc() {
		if os.Getenv("WEIR_WRITE_DOCS") != "" {
			if err := os.WriteFile(docs, []byte(LimitsDoc()), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("docs/limits.md differs from the table (%v): run make docs", err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"0B": 0, "1B": 1, "8MiB": 8 * MiB, "1.5KiB": 1536, "2 GiB": 2 * GiB, "3MB": 3e6, "3kB": 3000, "3KB": 3000} {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("ParseSize(%q) = %v, %v", text, got, err)
		}
		if back, err := ParseSize(got.String()); err != nil || back != got {
			t.Errorf("%v → %v, %v", got, back, err)
		}
	}
	for _, text := range []string{"", "8", "MiB", "-1B", "8Mib", "1e30GiB", "NaNB", "8 Mb"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %v", text, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	for word, want := range map[string]string{"roels": "roles", "Name": "name", "nmae": "name", "x": "", "advertize": "advertise", "zones": "zone"} {
		got := suggest(word, []string{"name", "roles", "zone", "advertise"})
		if want != "" {
			want = `did you mean "` + want + `"?`
		}
		if got != want {
			t.Errorf("suggest(%q) = %q", word, got)
		}
	}
}
