package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWhichRequestsPublish(t *testing.T) {
	rules := newPublishRules([]string{"whip", "/rtc/v1/publish/", "GET /app/push"})
	for request, want := range map[string]string{
		"POST /cam/whip":                              "?",        // MediaMTX, without an application
		"POST /live/cam/whip":                         "live/cam", // MediaMTX
		"PATCH /live/cam/whip/6f1c":                   "live/cam",
		"DELETE /a/b/cam/whip/6f1c":                   "a/b/cam",
		"OPTIONS /live/cam/whip":                      "live/cam", // a browser, before it does
		"POST /LiveApp/whip/cam":                      "LiveApp/cam",
		"POST /rtc/v1/whip/?app=live&stream=cam":      "live/cam", // SRS
		"DELETE /rtc/v1/whip/?app=live&stream=cam&x=": "live/cam",
		"POST /rtc/v1/publish/":                       "?",
		"POST /rtc/v1/publish":                        "?",
		"GET /app/push/x":                             "?",
		"POST /app/push":                              "",
		"GET /live/cam/whip":                          "",
		"POST /rtc/v1/publisher":                      "",
		"POST /rtc/v1":                                "",
		"POST /live/cam/whep":                         "",
		"POST /live/whips":                            "",
	} {
		method, url, _ := strings.Cut(request, " ")
		got := ""
		if name, ok := rules.match(httptest.NewRequest(method, url, nil)); ok {
			if got = name.String(); got == "/" {
				got = "?"
			}
		}
		if got != want {
			t.Errorf("%s: publishes %q, want %q", request, got, want)
		}
	}
}

func TestASessionsURLNamesItsServer(t *testing.T) {
	s := Server{Name: "o 1&2", Addr: "10.0.0.1:8889"}
	for location, want := range map[string]string{
		"/live/cam/whip/6f1c":                      "/live/cam/whip/6f1c?weir-server=o+1%262",
		"6f1c":                                     "6f1c?weir-server=o+1%262",
		"/rtc/v1/whip/?action=delete&token=%2F":    "/rtc/v1/whip/?action=delete&token=%2F&weir-server=o+1%262",
		"https://live.example.com/a/whip/b":        "https://live.example.com/a/whip/b?weir-server=o+1%262",
		"http://10.0.0.1:8889/a/whip/b":            "/a/whip/b?weir-server=o+1%262",
		"http://\x7f":                              "http://\x7f",
		"http://10.0.0.2:8889/another's?weir=1&x#": "http://10.0.0.2:8889/another%27s?weir=1&x&weir-server=o+1%262",
	} {
		got := sessionURL(location, s)
		if strings.ReplaceAll(got, "%27", "'") != strings.ReplaceAll(want, "%27", "'") {
			t.Errorf("%q: %q, want %q", location, got, want)
		}
		query := got[strings.IndexByte(got, '?')+1:]
		_, was, _ := strings.Cut(strings.TrimSuffix(location, "#"), "?")
		if rest, server := cutSession(query); server != s.Name && strings.Contains(query, "=") || server != "" && rest != was {
			t.Errorf("%q: back to %q at %q", got, rest, server)
		}
	}
}

// What brings a stream is asked for as such, and the session that follows goes where it began, and nowhere else.
func TestAPublishersSessionStaysAtItsServer(t *testing.T) {
	heard := make(chan string, 10)
	whip := func(name string) Server {
		return backend(t, name, func(w http.ResponseWriter, r *http.Request) {
			offer, _ := io.ReadAll(r.Body)
			heard <- fmt.Sprintf("%s %s %s %s", name, r.Method, r.RequestURI, offer)
			if r.Method == http.MethodPost {
				w.Header().Set("Location", "/live/cam/whip/1?token=a%2Fb")
				w.WriteHeader(http.StatusCreated)
			}
		})
	}
	f := newFleet(whip("a"), whip("b"))
	s := stand(t, f, func(o *Options) { o.Publish = []string{"whip"} })
	res, _ := s.ask(t, http.MethodPost, "/live/cam/whip?key=1", strings.NewReader("v=0"))
	at := res.Header.Get("Location")
	if got := <-heard; res.StatusCode != http.StatusCreated || at != "/live/cam/whip/1?token=a%2Fb&weir-server=a" || got != "a POST /live/cam/whip?key=1 v=0" {
		t.Fatalf("%s, at %q; the server heard %q", res.Status, at, got)
	}
	if ask := read(f, func() Request { return f.asked[0] }); !ask.Publish || ask.Session != "" || len(ask.Names) != 1 || ask.Names[0] != name("live", "cam") {
		t.Errorf("asked for %+v", ask)
	}
	for _, method := range []string{http.MethodPatch, http.MethodDelete} {
		s.ask(t, method, at, strings.NewReader("a=x"))
		if got := <-heard; !strings.HasSuffix(got, " "+method+" /live/cam/whip/1?token=a%2Fb a=x") {
			t.Errorf("%s: the server heard %q", method, got)
		}
		if ask := read(f, func() Request { return f.asked[len(f.asked)-1] }); !ask.Publish || ask.Session != "a" {
			t.Errorf("%s: asked for %+v", method, ask)
		}
	}
	// A refusal begins nothing.
	f.set(func() {
		f.servers[0] = backend(t, "a", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/x")
			w.WriteHeader(http.StatusConflict)
		})
		f.next = 0
	})
	if res, _ := s.ask(t, http.MethodPost, "/live/cam/whip", nil); res.Header.Get("Location") != "/x" {
		t.Errorf("refused: at %q", res.Header.Get("Location"))
	}
}

// Who writes a server's name into a URL gets nothing there but sessions.
func TestAServersNameInAURLIsNoWayIn(t *testing.T) {
	f := newFleet(says(t, "a"))
	s := stand(t, f, func(o *Options) { o.Publish = []string{"whip"} })
	for request, session := range map[string]string{
		"GET /api/v1/clients":        "",
		"DELETE /api/v1/clients/1":   "",
		"POST /":                     "",
		"GET /live/cam.m3u8":         "",
		"GET /live/cam/whip/1":       "",
		"DELETE /live/cam.flv":       "",
		"DELETE /live/cam/whip/1":    "a",
		"PATCH /live/whip/cam/1.mp4": "a",
	} {
		method, path, _ := strings.Cut(request, " ")
		s.ask(t, method, path+"?weir-server=a", nil)
		asked := read(f, func() Request { return f.asked[len(f.asked)-1] })
		if asked.Session != session || asked.Publish != (session != "") {
			t.Errorf("%s: asked for %+v", request, asked)
		}
	}
}
