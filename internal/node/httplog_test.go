package node

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"weir/internal/ops/event"
)

func TestAPanicOverHTTPIsTold(t *testing.T) {
	told := make(chan event.HandlerPanicked, 2)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler) // is no fault
		}
		panic("out of cheese")
	}))
	srv.Config.ErrorLog = httpLog(func(e event.Event) { told <- e.(event.HandlerPanicked) })
	srv.Start()
	for _, path := range []string{"/abort", "/fault"} {
		if resp, err := http.Get(srv.URL + path); err == nil {
			resp.Body.Close()
			t.Errorf("%s was answered", path)
		}
	}
	srv.Close()
	close(told)
	n := 0
	for e := range told {
		n++
		if !strings.Contains(e.What, "out of cheese") || !strings.Contains(e.Stack, "TestAPanicOverHTTPIsTold") {
			t.Errorf("%+v", e)
		}
	}
	if n != 1 {
		t.Errorf("%d panics were told, want 1", n)
	}
}
