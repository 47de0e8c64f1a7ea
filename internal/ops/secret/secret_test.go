package secret

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const hidden = "s3cr3t-value"

func TestP7NoFormatterPrintsASecret(t *testing.T) {
	s := New(hidden)
	type holder struct {
		Token String
		Ptr   *String
	}
	h := holder{s, &s}
	var out strings.Builder
	for _, v := range []any{s, &s, h, &h, []String{s}, map[string]String{"k": s}, map[String]int{s: 1}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		b, _ := json.Marshal(v)
		out.Write(b)
		b, _ = yaml.Marshal(v)
		out.Write(b)
		b, _ = xml.Marshal(v)
		out.Write(b)
		var buf bytes.Buffer
		_ = gob.NewEncoder(&buf).Encode(v)
		out.Write(buf.Bytes())
	}
	out.WriteString(fmt.Errorf("login: %v", s).Error())
	text := out.String()
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden)} {
		if strings.Contains(text, form) {
			t.Errorf("the secret got out as %q", form)
		}
	}
	if !strings.Contains(text, Mask) {
		t.Error("nothing shows that there was a secret")
	}
	if s.Reveal() != hidden || fmt.Sprint(New("")) != "" || New("").IsSet() {
		t.Error("a secret is its value, and an unset one is nothing")
	}
}

func TestEqual(t *testing.T) {
	s := New(hidden)
	if !s.Equal(hidden) || s.Equal(hidden+"x") || s.Equal("") || New("").Equal("") {
		t.Error("Equal is wrong")
	}
}

func TestP7RedactedURLs(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"live/alice":            "live/alice",
		"alice?token=" + hidden: "alice?token=" + Mask,
		"rtmp://h/app/n?a=" + hidden + "&vhost=x":     "rtmp://h/app/n?a=" + Mask + "&vhost=x",
		"rtmp://u:" + hidden + "@h:1935/app":          "rtmp://" + Mask + "@h:1935/app",
		"rtmp://u:p@" + hidden + "@h/app":             "rtmp://" + Mask + "@h/app",
		"app?" + hidden:                               "app?" + Mask,
		"app?key=" + hidden + ";b=" + hidden:          "app?key=" + Mask + "&b=" + Mask,
		"app?x=?token=" + hidden:                      "app?x=" + Mask,
		"app?key=" + hidden + "?token=" + hidden:      "app?key=" + Mask,
		"http://h/p?%74oken=" + hidden + "#" + hidden: "http://h/p?%74oken=" + Mask,
		"a?token=": "a?token=",
	} {
		if got := URL(in); got != want {
			t.Errorf("URL(%q) = %q, want %q", in, got, want)
		}
	}
}
